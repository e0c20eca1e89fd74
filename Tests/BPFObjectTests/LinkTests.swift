import BPFTestSupport
import KernelABI
@testable import BPFObject
import Base
import Testing

@Suite struct LinkTests {
  @Test(arguments: TestObject.names)
  func linkingIsDeterministic(_ name: String) throws {
    #expect(try TestObject.link(name) == TestObject.link(name))
  }

  @Test func dataSectionsBecomeMapsAsInLibbpf() throws {
    let object = try TestObject.link("data")
    let maps = Dictionary(uniqueKeysWithValues: object.maps.map { ($0.name, $0) })
    #expect(object.maps.first?.name == "counters")
    let rodata = try #require(maps["data.rodata"])
    #expect(rodata.flags == 128 | 1024)
    #expect(rodata.isFrozen && rodata.type == .array && rodata.maxEntries == 1 && rodata.keySize == 4)
    #expect(rodata.initialValue.starts(with: [3, 0, 0, 0]))
    let bss = try #require(maps["data.bss"])
    #expect(bss.initialValue.isEmpty && !bss.isFrozen && bss.flags == 1024)
    #expect(bss.btfValueTypeID != 0 && bss.btfKeyTypeID == 0)
    #expect(maps[".data.tuned"]?.kernelName == ".data.tuned")
    #expect(maps[".rodata.limits"]?.initialValue.count == 16)
  }

  @Test func subprogramsAreAppendedDepthFirst() throws {
    let object = try TestObject.link("callbacks")
    let classify = try #require(object.programs.first)
    // Each of the five functions once, the program first.
    #expect(classify.funcInfo.count == 8 * 6)
    #expect(try classify.funcInfo.rawSpan.u32(at: 0) == 0)
    var called: [String] = []
    for edit in classify.edits {
      switch edit.reason {
      case .call(let function), .functionAddress(let function): called.append(function)
      default: break
      }
    }
    #expect(Set(called) == ["each", "step", "leaf", "left", "right"])
  }

  @Test func optionalProgramsAndAttachTargetsComeFromSectionNames() throws {
    let object = try TestObject.link("attach")
    let kinds = Dictionary(uniqueKeysWithValues: object.programs.map { ($0.name, $0.kind) })
    #expect(kinds["kprobe"]?.type == .kprobe && kinds["kprobe"]?.target == "do_exit")
    #expect(kinds["uprobe"]?.flags == 16 && kinds["uprobe"]?.target == "/bin/sh:main")
    #expect(kinds["tracepoint"]?.type == .tracepoint && kinds["tracepoint"]?.target == "sched/sched_switch")
    #expect(kinds["opened"]?.attachTarget == ProgramKind.AttachTarget(name: "bpf_lsm_file_open", kind: .function))
    #expect(kinds["opened"]?.flags == 16 && kinds["opened"]?.expectedAttachType == .lsmMac)
    #expect(kinds["tasks"]?.attachTarget == ProgramKind.AttachTarget(name: "bpf_iter_task", kind: .function))
    #expect(kinds["frags"]?.isOptional == true && kinds["frags"]?.flags == 32)
    #expect(kinds["frags"]?.expectedAttachType == .xdpCpumap)
    #expect(kinds["egress"]?.expectedAttachType == .cgroupInetEgress)
    #expect(object.programs.first { $0.name == "frags" }?.section == "xdp.frags/cpumap")
  }

  @Test func mapsAreDefinedByTheirTypes() throws {
    let maps = Dictionary(uniqueKeysWithValues: try TestObject.link("maps").maps.map { ($0.name, $0) })
    let byType = try #require(maps["by_type"])
    #expect(byType.keySize == 8 && byType.valueSize == 24 && byType.flags == 1 && byType.maxEntries == 100)
    #expect(byType.btfKeyTypeID != 0 && byType.btfValueTypeID != 0)
    let bySize = try #require(maps["by_size"])
    #expect(bySize.keySize == 7 && bySize.valueSize == 11 && bySize.btfKeyTypeID == 0)
    #expect(maps["routes"]?.btfKeyTypeID != 0)
    #expect(maps["flat_routes"]?.btfKeyTypeID == 0)
    #expect(maps["events"]?.maxEntries == 8192)
    #expect(maps["perf"]?.maxEntries == 0)
    #expect(maps["bloom"]?.mapExtra == 3)
    let outer = try #require(maps["outer"])
    #expect(outer.inner.first?.type == .array && outer.inner.first?.maxEntries == 2 && outer.valueSize == 4)
    #expect(outer.initialSlots.map(\.index) == [1, 3] && outer.initialSlots.map(\.target) == ["inner_a", "inner_b"])
  }

  /// A type that a newer kernel brought is left to the kernel that loads it, also of an inner map.
  @Test func mapsOfTypesThatAreNotKnownHere() throws {
    let bytes = try TestObject.compile(
      source: """
        struct inner { __uint(type, 98); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32); };
        struct {
          __uint(type, 13); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32); __array(values, struct inner);
        } outer SEC(".maps");
        struct { __uint(type, 99); __uint(max_entries, 4); __type(key, __u32); __type(value, __u64); } newer SEC(".maps");
        struct { __uint(type, 34); __uint(max_entries, 4); __type(key, __u32); __type(value, __u64); } jumps SEC(".maps");
        SEC("xdp") int f(struct xdp_md *context) {
          __u32 key = 0;
          (void)context;
          return bpf_map_lookup_elem(&newer, &key) && bpf_map_lookup_elem(&jumps, &key) && bpf_map_lookup_elem(&outer, &key);
        }
        """, flags: ["-D__array(name, value)=typeof(value) *name[]"])
    let maps = Dictionary(uniqueKeysWithValues: try BPFObject.link(bytes: bytes.rawSpan).maps.map { ($0.name, $0) })
    let newer = try #require(maps["newer"])
    #expect(newer.type == .unspec && newer.unknownType == 99 && newer.typeName == "type 99")
    #expect(newer.keySize == 4 && newer.valueSize == 8 && newer.btfValueTypeID != 0)
    #expect(maps["outer"]?.inner.first?.unknownType == 98 && maps["outer"]?.unknownType == nil)
    #expect(maps["jumps"]?.type == .insnArray && maps["jumps"]?.unknownType == nil)
  }

  @Test func programArraysAreFilledByName() throws {
    let maps = Dictionary(uniqueKeysWithValues: try TestObject.link("slots").maps.map { ($0.name, $0) })
    #expect(maps["pinned"]?.pinsByName == true)
    let tails = try #require(maps["tails"])
    #expect(tails.initialSlots.map(\.index) == [0, 2] && tails.initialSlots.map(\.target) == ["tail_one", "tail_two"])
  }
}

/// How the type information is completed.
@Suite struct BTFCompletionTests {
  @Test func hiddenVariablesAndFunctionsArePrivate() throws {
    let source = """
      #define HIDDEN __attribute__((visibility("hidden")))
      HIDDEN int shown_to_nobody = 1; int shown = 2;
      HIDDEN __noinline int inner(int x) { return shown_to_nobody += x; }
      __noinline int outer(int x) { return shown += inner(x); }
      SEC("xdp") int f(struct xdp_md *ctx) { return outer(ctx->data); }
      """
    let bytes = try TestObject.compile(source: source)
    let object = try BPFObject.link(bytes: bytes.rawSpan)
    let btf = try BTF(object.btf.rawSpan)
    var linkage: [String: String?] = [:]
    for type in btf.types where type.kind == .variable || type.kind == .function {
      linkage[try btf.string(at: type.nameOffset)] =
        type.kind == .variable
        ? try btf.linkage(ofVariable: type)?.name : BTFFunctionLinkage(rawValue: UInt32(type.vlen))?.name
    }
    #expect(
      linkage == [
        "shown_to_nobody": "static", "shown": "global_allocated", "inner": "static", "outer": "global", "f": "global",
      ])
  }

  @Test func sectionsGetTheirSizesAndOffsets() throws {
    let object = try TestObject.link("data")
    let btf = try BTF(object.btf.rawSpan)
    for map in object.maps where map.btfValueTypeID != 0 && map.origin != .declared {
      let type = btf.types[Int(map.btfValueTypeID)]
      #expect(type.kind == .dataSection && type.sizeOrType == map.valueSize)
    }
  }
}
