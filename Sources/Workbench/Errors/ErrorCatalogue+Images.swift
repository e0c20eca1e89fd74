extension ErrorCatalogue {
  /// What images say: their layout, tree, manifest, and how they are built and mounted.
  static let imageParagraphs: [String: String] = [
    "image.not-an-image":
      "An image is a regular file or a block device. A directory, FIFO or socket has no bytes at fixed places, so it is not even opened.",
    "output.untold":
      "What was asked for is done and stays, but standard output is full, closed, or nobody reads it any more. Standard error says what is done, and what the answer would have been. It has an exit code of its own (7), so that nothing is done twice or rolled back by mistake.",
    "output.replaces-input":
      "A file that a command writes gets its name by a rename, and what had the name before is gone. The name that was given is, perhaps by another path, that of a file which the command reads: the private key, the certificate, the image, a file that is packed. Nothing was written. Name another file.",
    "output.not-a-file":
      "What a command writes becomes a regular file under the name that was given. There is a device, a directory or a link to one, and root's rename would replace it. Name another file.",
    "layout.no-file-system":
      "The data begins with none of the file systems that are read here (EROFS, squashfs, ext2 to ext4), so nothing says where it ends and its tree begins. Name the place of the superblock with --hash-offset when it is another file system.",
    "layout.file-system-size":
      "The file system says that it has another size than the data under the tree. What is beyond its end would be under the root hash and in no file; what is missing would be read from elsewhere.",
    "layout.several-devices":
      "An EROFS may keep the contents of its files on other devices, which a table in it names: so do the index of a tar archive (mkfs.erofs --tar=i) and --blobdev. What its superblock counts is then not what a hash tree covers, and the tree has to be named (--hash-offset). `verify` checks its blocks; its files are not read here. That is no reason to distrust it.",
    "layout.outside":
      "A part of the image is said to lie beyond the end of the file. The file is cut short, or a table in it lies.",
    "layout.partition-table":
      "The partition table of a disk image is not one that systemd-dissect would open: a checksum is wrong, partitions overlap or leave the disk, there is no protective MBR, two slots have the same UUIDs, or a slot's UUIDs are not the halves of its root hash.",
    "layout.no-verity-partition":
      "The disk has a sound partition table, and none of its partitions is a root or usr file system with a hash tree, by the types of the Discoverable Partitions Specification. Nothing is wrong with the disk; there is nothing on it that a root hash could be of.",
    "layout.no-slot":
      "A disk may have several slots: root and usr, those of several architectures, and two of each that updates alternate between. The slot of a root hash has its halves as UUIDs, and no slot here has these. The slots that are there are named.",
    "layout.several-slots":
      "The disk has several slots, and nothing says which one is meant: no root hash was given, none is stored beside the image, and the partitions of signatures do not name one alone. The slots that are there are named; the first half of each root hash is the UUID.",
    "layout.second-table":
      "A GUID partition table has a second copy in the last sectors of the disk. In an image file it must be there, at the very end, with the same contents; otherwise the file was cut short, something was put behind it, or somebody wrote to the copy, and bytes are in it that nobody vouches for. On a device it is only told: an image that was written to a larger device has its second copy where the image ended, until `sgdisk -e DEVICE` moves it.",
    "layout.root-hash":
      "A root-hash file holds the root hash's hexadecimal digits, 64 for sha256 or 128 for sha512, and at most one line feed. This one holds something else.",
    "layout.signature-file":
      "At the place of the root hash's signature, NAME.roothash.p7s, lies something that cannot be one: a directory, a FIFO, a symbolic link to nothing, or a file that is far too large. It is not passed over, since somebody meant it to count.",
    "image.file-system":
      "Data and tree of the image are what a root hash is of, and the data begin with no file system that is read here. Nothing is wrong with the image: `verify` checks its blocks whatever they are.",
    "image.two-signatures":
      "A disk image has a signature in a partition of its own, and another one lies beside it in NAME.roothash.p7s. The file counts, because that is how a disk which is built already is signed anew. If it does not hold, there is no falling back to the partition's.",
    "layout.signature-record":
      "The signature that came with the image is not where or what it has to be: the partition holds the JSON object of UAPI.2 (rootHash, signature, certificateFingerprint) and NUL bytes, for this image's own root hash, and a file has at most a mebibyte.",
    "erofs.block":
      "A block of the file system could not be read or proven; the reason is shown with it. Get the image again.",
    "erofs.boot-area":
      "The first 1024 bytes of the file system hold something. Nobody looks at them, and hash blocks hidden there could give a second image the same root hash, so they have to be zero. Neither mkfs.erofs nor a failing disk puts something there alone.",
    "erofs.not-erofs":
      "There is neither an EROFS superblock, nor one of squashfs or ext4, and nothing else is read here. Nothing is said against the image: `verify` checks its blocks whatever they are.",
    "erofs.superblock-checksum":
      "The checksum of the EROFS superblock is wrong. An image may have none, and what it has must be right.",
    "erofs.superblock":
      "The EROFS superblock has a value that is not accepted, such as an impossible size of blocks.",
    "erofs.unsupported-feature":
      "The file system uses a part of EROFS that this build does not read: 48-bit layouts, metadata compression, device tables, composefs, or something that is newer than this build. That is no reason to distrust it. `verify` checks its blocks all the same.",
    "erofs.missing-library":
      "Files of the image are compressed, and the library that undoes it (liblz4, liblzma, zlib or libzstd) is not on this host. Install the package that is named. Nothing is wrong with the image.",
    "erofs.bad-cluster":
      "The bytes of a compressed cluster do not make what the file system's index says. Get the image again, or build it again.",
    "erofs.device-size":
      "The file system says that it is larger than the data under the tree, so that a part of it would be under no hash. The other way round, data that go on behind the file system, is fine: slots of a fixed size are larger than what lies in them.",
    "verify.padding":
      "The data under the tree go on behind the file system, and there something else than zeros follows. It is under the root hash, so it is as the image was built; it is in no file, so nothing reads it.",
    "erofs.out-of-range": "Something in the file system points beyond the end of the image.",
    "erofs.bad-inode": "An inode of the file system contradicts itself. mkfs.erofs does not write this.",
    "erofs.bad-directory":
      "A directory's entries are not sorted, lead outside of it, or have names that no file can have.",
    "erofs.bad-tree": "The directories do not form a tree: one is in two places, or within itself.",
    "erofs.too-large":
      "The image has more files, or a larger one, than this reader takes. docs/formats.md has the limits. Nothing is said against the image.",
    "erofs.not-found": "The image has no file of that name. `verity-bpf inspect IMAGE` lists those it has.",
    "erofs.wrong-kind":
      "The path leads to something else than was asked for, such as a directory or a symbolic link. Links are never followed in an image.",
    "verity.no-superblock":
      "At the place where the dm-verity superblock should be there is none. The image was made with --no-superblock, has its tree in another file (--verity-data), or at another place (--hash-offset).",
    "verity.unsupported":
      "The superblock is sound, and the tree is made in a way that the format allows and this build does not take: hash type 0, another hash algorithm than sha256 and sha512, or blocks above 64 KiB. Nothing is wrong with the image. docs/formats.md has the reasons.",
    "verity.superblock":
      "A field of the dm-verity superblock has a value that is not accepted. Version and hash type are 1, block sizes powers of two, the salt has at most 256 bytes, and what is spare is zero: each of the others was found to let two contents share a root hash, or to be of no use.",
    "verity.parameter":
      "The tree is asked for, or was made, with a parameter that is not accepted: see docs/formats.md for the list and the reasons.",
    "verity.truncated": "The file ends before the data or the tree does. It was not copied whole.",
    "verity.trailing-bytes":
      "Bytes follow the tree that are under no hash. A program that reads the file in another format could find data in them, so they are refused, in a file that holds data and tree. Partitions, devices and trees in files of their own may be larger than what lies in them: nothing reads the rest.",
    "verity.error-correction":
      "Behind the tree lies parity for error correction, as `veritysetup format --fec-device` writes it. The first of its code words are what the data and the tree make; whether the others are, and what they could correct, is not looked at, so a file that holds data, tree and parity is not taken as a whole. Nothing is said against it. Named as data and tree (--verity-data, --hash-offset) it is read as dm-verity maps it.",
    "verity.data-size":
      "The superblock does not stand right behind the data. A tree read with another number of data blocks can show other contents under the same root hash.",
    "verity.gap-not-zero":
      "Between the superblock and the first hash block there is something. These bytes are under no hash, so they have to be zero.",
    "verity.root-mismatch":
      "The top of the tree does not have the root hash that was asked for. Either the root hash is of another image or version, or the top of the tree was changed. Nothing below it was looked at.",
    "verity.tree-mismatch":
      "A block of hashes was changed: its own hash is not the one that the level above has. Everything below it is without proof.",
    "verity.data-mismatch":
      "A block of data was changed: its hash is not the one in the tree. Files in other blocks are still proven; get the image again.",
    "verity.spare-not-zero":
      "A block of hashes has something behind its last digest. The kernel does not look there, and spare digests could vouch for blocks that the image does not have.",
    "verity.root-hash-algorithm":
      "The root hash has the length of another algorithm than the tree's. sha256 has 64 digits, sha512 has 128.",
    "verity.block-out-of-range":
      "A block was asked for that the image does not have. In an image that was proven this cannot come from its contents.",
    "verity.block-count":
      "The data changed its size while its tree was built, so somebody writes to it. Build from files that nobody touches.",
    "verity.unreadable":
      "The image's file could not be read: an error of the disk, or a file that was cut while it was read.",
    "verity.unwritable": "The image could not be written, most often because the disk is full.",
    "verity.hash-unavailable":
      "OpenSSL has no such digest, as with a provider that allows only some. sha256 needs no OpenSSL.",
    "verity.memory-limit":
      "Proven blocks are kept in memory, and an image that needs more than the limit is refused rather than read twice.",
    "verity.cancelled": "The work was stopped before its end, so there is no answer.",
    "manifest.not-json":
      "The manifest in the image is no JSON. It is under the root hash, so it was built like this: do not trust the image.",
    "manifest.bad-member":
      "A member of the manifest is missing, unknown or of the wrong form. Readers that passed over what they do not know could be made to see different things.",
    "manifest.data-blocks":
      "The manifest is for an image with another number of data blocks. A tree read with another number can show other contents under the same root hash, so the manifest says how many there are.",
    "manifest.uuid":
      "The superblock's UUID is not the one that follows from the salt. The root hash does not cover it; an image with a manifest has the one and only UUID that it can have.",
    "manifest.digest":
      "A file in the image is not the one that the manifest names. Both are under the root hash, so the image was built to disagree with itself.",
    "manifest.unlisted":
      "The image has a file that its manifest does not name. The manifest is what people look at to know what is in an image.",
    "manifest.description":
      "The manifest says something else of an object (its programs, maps, license, or what the analysis concludes) than its bytes do. Everything is worked out again at each load, so nothing was believed; but people and policies choose images by what is written there, and an image that describes itself wrongly is refused. The conclusions are compared when the same revision of the analysis made them.",
    "manifest.unknown-type":
      "The manifest states what the programs of a section are by a name that this build does not know. A newer one made the image; use a newer one to load the object.",
    "manifest.hashing": "No digest could be computed of a file in the image; see verity.hash-unavailable.",
    "build.not-a-directory":
      "build-image packs a directory. Name the directory that holds the objects, not one of them.",
    "build.nothing-to-pack":
      "The directory has no objects (*.bpf.o), and --include names no other files. An image of nothing is more likely a mistake than wanted.",
    "build.bad-file":
      "A file cannot be packed: it is no object that could be loaded, or it changed while it was read. What could never be loaded is refused when the image is made, not at boot.",
    "build.bad-name":
      "A file's name does not fit into an image: it is no UTF-8, too long, there twice, or reserved for the manifest.",
    "build.load-list":
      "The file that --load-list names is no load list, or one of its entries names an object that is not packed. docs/formats.md says which members an entry has. No image was made.",
    "build.bad-label":
      "The image's name or version is put into policies and file names without quotes, so it has 1 to 64 letters, digits and the characters . _ + ~ -, beginning with a letter or digit.",
    "build.bad-output":
      "The image cannot be put at that path: it is a directory or device, or the directory is not writable. Results are written beside it and renamed, so that nothing half-made is left.",
    "build.bad-manifest":
      "The manifest in the finished image is not the one that was packed, or has another size than was kept free for it. Memory or disk changed it, or there is an error in this program.",
    "build.too-large":
      "EROFS numbers its blocks with 32 bits, so an image has less than 16 TiB; and it gets no more names, no longer paths and no larger files, directories or manifest than its readers take. Make several images.",
    "build.write":
      "The image could not be written where it is made, beside the place of the result. Check the free space there.",
    "build.self-check":
      "The finished image was read back and did not prove. Nothing was put at the place of the result; a fault of the disk or of the tools is likely.",
    "build.foreign-file":
      "Beside an image NAME.raw, the names NAME.roothash, NAME.roothash.p7s and NAME.verity belong to it: whoever opens the image looks there. A build removes those that an earlier one left and it does not write itself. Under this name something else lies, so it was not made by a build; it is left alone, and nothing was built.",
    "build.no-object":
      "A file that --include names begins like an ELF file and is no BPF object that can be read: it is for another machine or byte order, or damaged. It is packed as a file like any other, so nothing is known of what is in it.",
    "build.version":
      "The version is not made of numbers with dots, such as 1.4.0. Policies compare versions number by number (x_image_version_min), and this one never matches.",
    "build.sysext-name":
      "The image is a system extension, and its file has another name. systemd-sysext looks for usr/lib/extension-release.d/extension-release.NAME with the NAME of the image's file, so that it would not merge this one. Call the file NAME.raw.",
    "build.no-such-object":
      "An option says something of objects (--section-type, --configurable), and no object of the directory is such a one. A misspelled name would go unnoticed until a load is refused.",
    "build.unusable":
      "The object cannot be loaded, and is not in the image, as --skip-unusable asks. The code in brackets says why.",
    "build.unknown-section":
      "The section's name does not say what its programs are, or came with a newer libbpf. The object is packed, the worst is assumed of these programs, and no load takes them before --section-type says the type.",
    "build.unknown-map-type":
      "The map has a type that came with a newer kernel than this build knows. The object is packed, the worst is assumed of the programs that use it, and the kernel that loads it decides.",
    "build.unfilled-map":
      "The map has a type whose contents only a loader of its own puts there before the program is loaded (an array of instructions). Nothing here fills it, and a kernel refuses a program that uses an empty one.",
    "build.skipped": "A file in the directory is neither an object nor named by --include, so it is not in the image.",
    "mount.signature":
      "The kernel did not accept the signature of the root hash: no key of its keyrings made it, it is of something else, or the kernel takes signed volumes only and there was none. There is no falling back to an unsigned volume. What this program's own anchors say of the signature is another matter: the kernel does not ask them.",
    "mount.activation":
      "The kernel or libcryptsetup did not set the dm-verity volume up; their own messages are shown.",
    "mount.no-cryptsetup":
      "libcryptsetup sets dm-verity volumes up, and it is not installed. Without it an image can be mounted on a plain loop device (--no-device-mapper), for objects that `load` proves by itself.",
    "mount.no-device-mapper":
      "This kernel or container has no device-mapper, so nobody in the kernel can check the signature that was named. Without --root-hash-signature the image is mounted by its root hash alone: the kernel then checks nothing that is read, and `load` proves each object itself.",
    "mount.signature-unused":
      "The image is signed, and this kernel or container has no device-mapper to give the signature to. The image is mounted on a plain loop device, where the kernel checks nothing; `load` proves each object by itself, and the trust anchors say what the signature is worth to it.",
    "mount.no-file-system":
      "The image's blocks are proven, and there is no EROFS file system in them. Others are not mounted: their parsers in the kernel would be shown what nobody here understands.",
    "mount.active":
      "A dm-verity volume of that name is active, so it is not set up a second time. Use the mount it has, take it down with `verity-bpf umount` (by its directory, or by its name when it is mounted nowhere because a run was killed), or give the new one another name. A volume that was unmounted while it was still in use is removed by the kernel with its last user.",
    "mount.deactivation":
      "The kernel did not take the dm-verity volume down, though nothing is mounted from it any more. It holds no data that could be lost; `dmsetup info` shows its state.",
    "mount.not-ours":
      "What is mounted there was not mounted by verity-bpf, so it is not touched. That is also so of a bind mount of what it mounted, or of a part of that: umount(8) takes it away, and the volume goes with its last mount.",
    "dm-table.targets": "The list of a device-mapper device's targets could not be read as the kernel writes it.",
    "dm-table.target-count":
      "The device is made of several targets. Only one that is verity from beginning to end is verified from beginning to end.",
    "dm-table.target-type":
      "The device's name or UUID may say verity; its table, which is the kernel's own, says otherwise. A linear device over a verity device is not verified itself.",
    "dm-table.parameters":
      "The table of a verity target holds something that is not understood. What is not understood could be an option that turns the check off.",
    "dm-table.state": "The state of a verity target is neither V (no corruption seen) nor C (corruption seen).",
    "fsverity.parameter":
      "The file's fs-verity uses a parameter that is not accepted: a hash that is neither sha256 nor sha512, or odd block sizes.",
    "fsverity.descriptor":
      "The kernel's fs-verity descriptor of the file has a form that is not understood (Documentation/filesystems/fsverity.rst).",
    "fsverity.digest":
      "The descriptor does not hash to the digest that the kernel names for the file. One of the two is not of this file.",
    "fsverity.content":
      "The bytes that were read are not those that the file's fs-verity digest is of. Somebody changed what the kernel hands out, or the file is damaged.",
    "fsverity.hashing": "No digest could be computed of the file; see verity.hash-unavailable.",
  ]
}
