// Learning devices: dm-verity announces the root hash of a device whenever a table of it becomes active.
#ifndef GATE_DEVICES_H
#define GATE_DEVICES_H

#include "maps.h"

// Whether reading a damaged block of the device fails, each time. False when that cannot be seen: the device-mapper's types
// come from its modules, which must have been there when this program was loaded.
static __always_inline bool gate_fails_on_corruption(const struct block_device *device) {
  if (!core_field_exists(((struct mapped_device *)0)->map) || !core_field_exists(((struct dm_table *)0)->num_targets) ||
      !core_field_exists(((struct dm_table *)0)->targets) || !core_field_exists(((struct dm_target *)0)->private) ||
      !core_field_exists(((struct dm_verity *)0)->mode) || !core_field_exists(((struct dm_verity *)0)->validated_blocks))
    return false;
  __u64 mapped = kernel_address(device->bd_disk->private_data);
  __u64 table = kernel_u64(mapped + core_field_offset(((struct mapped_device *)0)->map));
  if (kernel_u32(table + core_field_offset(((struct dm_table *)0)->num_targets)) != 1) return false;
  __u64 target = kernel_u64(table + core_field_offset(((struct dm_table *)0)->targets));
  __u64 verity = kernel_u64(target + core_field_offset(((struct dm_target *)0)->private));
  // A null pointer anywhere on the way reads as mode 0, the strict one.
  if (!mapped || !table || !target || !verity) return false;
  if (kernel_u32(verity + core_field_offset(((struct dm_verity *)0)->mode)) != DM_VERITY_MODE_EIO) return false;
  // check_at_most_once: what was right once is not looked at again.
  return kernel_u64(verity + core_field_offset(((struct dm_verity *)0)->validated_blocks)) == 0;
}

SEC("lsm/bdev_setintegrity")
int gate_device_announced(__u64 *context) {
  __u64 address = 0, type = 0, value = 0;
  bpf_get_func_arg(context, 0, &address);
  bpf_get_func_arg(context, 1, &type);
  bpf_get_func_arg(context, 2, &value);
  if ((__u32)type != LSM_INT_DMVERITY_ROOTHASH) return 0;
  struct block_device *block = kernel_struct(struct block_device, address);
  __u32 number = block->bd_dev;

  struct gate_device *known = bpf_map_lookup_elem(&gate_devices, &number);
  if (known && (known->owner == address || known->owner == 0)) {
    // Another table, or the same one again after another: pages that are cached may be of either.
    __sync_fetch_and_or(&known->flags, GATE_DEVICE_TAINTED);
    __sync_fetch_and_add(&known->events, 1);
    return 0;
  }
  // The number was another device's, which is gone.
  struct gate_device device = {.events = 1, .owner = address};
  if (!gate_fails_on_corruption(block)) device.flags |= GATE_DEVICE_LENIENT;
  if (value && core_field_exists(((struct dm_verity_digest *)0)->digest)) {
    __u64 digest = kernel_u64(value + core_field_offset(((struct dm_verity_digest *)0)->digest));
    __u64 size = kernel_u64(value + core_field_offset(((struct dm_verity_digest *)0)->digest_len));
    // Every digest is of whole words. A longer one is none that rows could name.
    if (digest && size <= GATE_HASH_SIZE && size % 4 == 0) {
      device.hash_size = size;
      for (__u32 i = 0; i < GATE_HASH_SIZE / 4; i++)
        if (4 * i < size) ((__u32 *)device.root_hash)[i] = kernel_u32(digest + 4 * i);
    }
  }
  // A full map leaves the device unknown.
  bpf_map_update_elem(&gate_devices, &number, &device, BPF_ANY);
  return 0;
}

SEC("lsm/bdev_free_security")
int gate_device_freed(__u64 *context) {
  __u64 address = 0;
  bpf_get_func_arg(context, 0, &address);
  struct block_device *block = kernel_struct(struct block_device, address);
  __u32 number = block->bd_dev;
  struct gate_device *known = bpf_map_lookup_elem(&gate_devices, &number);
  // The number may be another device's by now.
  if (known && (known->owner == address || known->owner == 0)) bpf_map_delete_elem(&gate_devices, &number);
  return 0;
}

#endif
