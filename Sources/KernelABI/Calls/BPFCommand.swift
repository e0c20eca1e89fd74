/// What bpf(2) is asked to do: `enum bpf_cmd` (include/uapi/linux/bpf.h). BPF_PROG_RUN is another name of
/// BPF_PROG_TEST_RUN.
public enum BPFCommand: UInt32, KernelConstant {
  case mapCreate = 0
  case mapLookupElem = 1
  case mapUpdateElem = 2
  case mapDeleteElem = 3
  case mapGetNextKey = 4
  case progLoad = 5
  case objPin = 6
  case objGet = 7
  case progAttach = 8
  case progDetach = 9
  case progTestRun = 10
  case progGetNextId = 11
  case mapGetNextId = 12
  case progGetFdById = 13
  case mapGetFdById = 14
  case objGetInfoByFd = 15
  case progQuery = 16
  case rawTracepointOpen = 17
  case btfLoad = 18
  case btfGetFdById = 19
  case taskFdQuery = 20
  case mapLookupAndDeleteElem = 21
  case mapFreeze = 22
  case btfGetNextId = 23
  case mapLookupBatch = 24
  case mapLookupAndDeleteBatch = 25
  case mapUpdateBatch = 26
  case mapDeleteBatch = 27
  case linkCreate = 28
  case linkUpdate = 29
  case linkGetFdById = 30
  case linkGetNextId = 31
  case enableStats = 32
  case iterCreate = 33
  case linkDetach = 34
  case progBindMap = 35
  case tokenCreate = 36
  case progStreamReadByFd = 37
  case progAssocStructOps = 38

  public static let prefix = "BPF_"

  public var entry: KernelEntry {
    switch self {
    case .mapCreate: KernelEntry("map_create", 3, 18)
    case .mapLookupElem: KernelEntry("map_lookup_elem", 3, 18)
    case .mapUpdateElem: KernelEntry("map_update_elem", 3, 18)
    case .mapDeleteElem: KernelEntry("map_delete_elem", 3, 18)
    case .mapGetNextKey: KernelEntry("map_get_next_key", 3, 18)
    case .progLoad: KernelEntry("prog_load", 3, 18)
    case .objPin: KernelEntry("obj_pin", 4, 4)
    case .objGet: KernelEntry("obj_get", 4, 4)
    case .progAttach: KernelEntry("prog_attach", 4, 10)
    case .progDetach: KernelEntry("prog_detach", 4, 10)
    case .progTestRun: KernelEntry("prog_test_run", 4, 12)
    case .progGetNextId: KernelEntry("prog_get_next_id", 4, 13)
    case .mapGetNextId: KernelEntry("map_get_next_id", 4, 13)
    case .progGetFdById: KernelEntry("prog_get_fd_by_id", 4, 13)
    case .mapGetFdById: KernelEntry("map_get_fd_by_id", 4, 13)
    case .objGetInfoByFd: KernelEntry("obj_get_info_by_fd", 4, 13)
    case .progQuery: KernelEntry("prog_query", 4, 15)
    case .rawTracepointOpen: KernelEntry("raw_tracepoint_open", 4, 17)
    case .btfLoad: KernelEntry("btf_load", 4, 18)
    case .btfGetFdById: KernelEntry("btf_get_fd_by_id", 4, 18)
    case .taskFdQuery: KernelEntry("task_fd_query", 4, 18)
    case .mapLookupAndDeleteElem: KernelEntry("map_lookup_and_delete_elem", 4, 20)
    case .mapFreeze: KernelEntry("map_freeze", 5, 2)
    case .btfGetNextId: KernelEntry("btf_get_next_id", 5, 4)
    case .mapLookupBatch: KernelEntry("map_lookup_batch", 5, 6)
    case .mapLookupAndDeleteBatch: KernelEntry("map_lookup_and_delete_batch", 5, 6)
    case .mapUpdateBatch: KernelEntry("map_update_batch", 5, 6)
    case .mapDeleteBatch: KernelEntry("map_delete_batch", 5, 6)
    case .linkCreate: KernelEntry("link_create", 5, 7)
    case .linkUpdate: KernelEntry("link_update", 5, 7)
    case .linkGetFdById: KernelEntry("link_get_fd_by_id", 5, 8)
    case .linkGetNextId: KernelEntry("link_get_next_id", 5, 8)
    case .enableStats: KernelEntry("enable_stats", 5, 8)
    case .iterCreate: KernelEntry("iter_create", 5, 8)
    case .linkDetach: KernelEntry("link_detach", 5, 9)
    case .progBindMap: KernelEntry("prog_bind_map", 5, 10)
    case .tokenCreate: KernelEntry("token_create", 6, 9)
    case .progStreamReadByFd: KernelEntry("prog_stream_read_by_fd", 6, 17)
    case .progAssocStructOps: KernelEntry("prog_assoc_struct_ops", 7, 0)
    }
  }
}
