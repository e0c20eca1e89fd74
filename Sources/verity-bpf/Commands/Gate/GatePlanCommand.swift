import BPFAnalysis
import BPFObject
import Base
import Gate
import Policy

/// `verity-bpf gate plan`: a policy as the rows that a gate in the kernel would hold loads against.
struct GatePlanCommand: Command {
  static let declaration = Declaration(
    "Compile a policy into the rows of the gate. Nothing is installed.",
    discussion: """
      A row is what the kernel could check by itself at each load: which file of which volume a process runs, the digest of \
      the instructions, type and helpers of the program. `gate install` gives them to the kernel.

      Whatever a row admits, the policy allows. Rules that cannot become rows, and programs of the images that get none, are \
      listed with the reason, by line, and the exit code is 3. Needs no privilege and asks no kernel.

      Exit codes: 0 every rule that allows has a row; 3 some have none, or the policy allows nothing; 4 an image is not what \
      its root hash or its manifest says; 1 something could not be read, 6 this build does not read an image, 64 usage.
      """,
    examples: [
      "verity-bpf gate plan --policy site.pol --image progs.raw --loader tools.raw:/usr/bin/verity-bpf",
      "verity-bpf gate plan --policy site.pol --mode loader --loader tools.raw:/usr/bin/verity-bpf --json",
    ],
    options: PlanOptions.keys + [CommonOptions.json])
  static let schema = "verity-bpf/gate-plan/1"
  static var makesThings: Bool { false }

  let asked: PlanOptions
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    asked = try PlanOptions(words)
    json = try words[CommonOptions.json]
  }

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    let (plan, images) = try asked.plan()
    if json {
      try Output.json(
        .object(
          [.init("schema", .string(Self.schema)), .init("images", .array(images.map(\.json)))] + plan.jsonMembers))
    } else {
      for line in plan.lines { try Output.line(line) }
    }
    guard let refusal = plan.refusal(asked.policy, skips: asked.skip) else { return 0 }
    Output.report(refusal)
    return refusal.category.rawValue
  }
}

extension GatePlan {
  fileprivate var lines: [String] {
    var lines = ["gate     plan for policy \(header.nameText) \(header.version.description), mode \(mode.rawValue)"]
    for row in rows.executables {
      lines.append("program  \(row.executable.path) of \(row.executable.image)")
      lines.append(Output.row("volume", row.executable.identity.rootHash.description))
      lines.append(Output.row("inode", "\(row.executable.identity.inode), \(row.executable.digest)"))
      lines.append(Output.row("may load", row.right.description))
    }
    for row in rows.classes {
      lines.append("class    \(row.scope.description): every process, by line \(row.line)")
    }
    for row in rows.modules {
      lines.append("modules  those of volume \(row.rootHash), by line \(row.line)")
    }
    for row in rows.digests {
      let types = [row.type, row.attachType, row.attachTarget?.name].compactMap { $0 }.joined(separator: "/")
      lines.append("digest   \(row.instructions.digest.hex)")
      lines.append(
        Output.row(
          "code",
          "\(row.instructions.count) instructions, \(row.instructions.coreRelocations) CO-RE records, \(types)"))
      for source in row.sources {
        let line = source.line.map { "line \($0)" } ?? "default"
        lines.append(Output.row("is", "\(source.program) of \(source.object) in \(source.image), by \(line)"))
      }
    }
    for rule in rules {
      switch rule.outcome {
      case .complete: lines.append("rule     line \(rule.line): complete")
      case .narrower(let reason): lines.append("rule     line \(rule.line): narrower: \(reason)")
      case .leftOut(let reason): lines.append("rule     line \(rule.line): left out: \(reason)")
      }
    }
    for program in programs {
      switch program.fate {
      case .row: continue
      case .denied(let reason): lines.append("denied   \(program.name) of \(program.object): \(reason)")
      case .leftOut(let reason): lines.append("left out \(program.name) of \(program.object): \(reason)")
      }
    }
    return lines
  }
}

extension GateRows.Right {
  fileprivate var description: String {
    switch self {
    case .judging: "what it allows by the policy"
    case .listed: "instructions with a digest below"
    case .programs(let scope, let line): "\(scope.description), by line \(line)"
    }
  }
}

extension ProgramScope {
  fileprivate var description: String {
    let types =
      types.map { types in
        types.map { type in
          guard let attachTypes = type.attachTypes else { return type.type }
          return "\(type.type) (\(attachTypes.map { $0 ?? "no attach type" }.joined(separator: ", ")))"
        }.joined(separator: ", ")
      } ?? "programs of every type"
    guard let helpers else { return types }
    return types + (helpers.isEmpty ? " without helpers" : " with no helpers but \(helpers.joined(separator: ", "))")
  }
}
