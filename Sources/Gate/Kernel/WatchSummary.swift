public import Base
internal import KernelABI

/// What a gate refused, or would, of equal kind.
public struct WatchedLoad: Equatable, Sendable {
  /// The first of them.
  public let event: GateEvent
  public internal(set) var count: Int
  /// What would admit them, or why nothing does.
  public let advice: String
}

/// The refusals among a gate's records, equal ones counted.
public struct WatchSummary: Equatable, Sendable {
  /// In the order of their first records.
  public private(set) var loads: [WatchedLoad] = []
  /// Records of loads that a row admits.
  public private(set) var admitted = 0
  /// Records that are about no load.
  public private(set) var others = 0

  private struct Key: Hashable {
    let reason: UInt32
    let device: UInt32
    let inode: UInt64
    let type: UInt32
    let attachType: UInt32
    let digest: [UInt8]
  }

  /// - Parameter events: in their order.
  public init(_ events: [GateEvent]) {
    var places: [Key: Int] = [:]
    for event in events {
      guard event.isLoad else {
        others += 1
        continue
      }
      guard event.isRefusal else {
        admitted += 1
        continue
      }
      let key = Key(
        reason: event.reasonNumber, device: event.device, inode: event.inode, type: event.programType,
        attachType: event.attachType, digest: event.digest)
      if let place = places[key] {
        loads[place].count += 1
      } else {
        places[key] = loads.count
        loads.append(WatchedLoad(event: event, count: 1, advice: event.advice))
      }
    }
  }
}

extension GateEvent {
  /// What has to be different so that a row admits the load.
  var advice: String {
    let type = TypeNames.program(programType)
    switch reason {
    case .noExecutable: return "the kernel's own tasks load nothing past the gate"
    case .unknownDevice:
      return "run the program from a dm-verity volume that is opened after the gate, or that `gate install` vouches for"
    case .taintedDevice: return "close the volume and open it again"
    case .lenientDevice:
      return
        "open the volume without ignore_corruption and check_at_most_once, after dm-verity was loaded before the gate"
    case .unknownExecutable:
      guard let volume else { return "name the program with --executable and have a rule allow what it loads" }
      return "name inode \(inode) of that volume with --executable, and have the policy say: op=BPF_PROG_LOAD "
        + "x_requester_dmverity_roothash=\(volume) x_prog_type=\(type) action=ALLOW"
    case .unknownInstructions: return "plan with the image that the program is of: --image"
    case .outsideScope:
      return
        "have the executable's rule list the type (x_prog_type=\(type)) and the helpers that are called (x_helpers)"
    case .otherRelocation, .otherTypes: return "plan again on this kernel, with the image that the program is of"
    case .traced: return "the tracer has to go first"
    case .returnModifier, .ownProgram, .cgroupLSM: return "no row admits such programs"
    case .stateUnknown: return "install the gate again"
    case .noMemory: return "try again"
    case .classRow, .judging, .digest, .scope: return "a row admits it"
    case .stillJudged, .ownPart, .listedProcess, .foreignCode, .writableCode, .executableChanged, .unknownModule,
      .kexec:
      return "the gate protects itself"
    case nil: return "this build does not know the reason"
    }
  }
}

extension GateEvent {
  /// One line for people: what was asked for and what became of it.
  public var line: String {
    var parts = ["\(verdict?.word ?? "verdict \(verdictNumber)")"]
    if isLoad {
      parts.append(programText)
      parts.append("\(number) instructions")
    } else {
      parts.append("\(hook?.name ?? "hook \(hookNumber)") \(number)")
    }
    parts.append("by \(commandText) (pid \(pid), uid \(uid))")
    let script = isGenerated ? "; script not known" : ""
    return parts.joined(separator: " ") + ": " + (reason?.text ?? "reason \(reasonNumber)") + script
  }

  /// What it says, as members of a JSON object.
  public var jsonMembers: [JSONValue.Member] {
    [
      .init("verdict", .string(verdict?.word ?? "\(verdictNumber)")),
      .init("reason", .string(reason?.word ?? "\(reasonNumber)")),
      .init("hook", .string(hook?.name ?? "\(hookNumber)")), .init("pid", .integer(Int64(pid))),
      .init("uid", .integer(Int64(uid))), .init("command", .string(commandText)),
      .init("device", .optional(deviceText)), .init("inode", deviceText == nil ? .null : .unsigned(inode)),
      .init("root_hash", .optional(volume?.description)),
      .init("type", isLoad ? .string(TypeNames.program(programType)) : .null),
      .init("attach_type", isLoad && attachType != 0 ? .string(TypeNames.attach(attachType)) : .null),
      .init("attach_type_id", isLoad && attachTypeID != 0 ? .integer(Int64(attachTypeID)) : .null),
      .init("number", .integer(Int64(number))),
      .init("core_relocations", isLoad ? .integer(Int64(coreRelocations)) : .null),
      .init("sha256", .optional(digestHex)), .init("line", row.map { .integer(Int64($0)) } ?? .null),
      .init("script", isGenerated ? "not known" : .null),
    ]
  }
}

extension WatchedLoad {
  /// The same as JSON, with how often it was.
  public var json: JSONValue {
    .object(event.jsonMembers + [.init("count", .integer(Int64(count))), .init("advice", .string(advice))])
  }
}
