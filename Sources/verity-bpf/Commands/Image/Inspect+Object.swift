import KernelABI
import BPFAnalysis
import BPFObject
import Base
import Linux

extension InspectCommand {
  /// Describes a BPF object.
  func inspectObject(_ kernels: KernelReport?) throws {
    let descriptor = try OwnedFD.open(file, .readOnly)
    guard let bytes = try descriptor.readToEnd(limit: BPFObject.maximumByteCount) else {
      throw Self.tooLarge("`\(file)` is too large for a BPF object")
    }
    let digest = try Digest.of(bytes.rawSpan)
    let kernelTypes = try kernelBtf.map { try readTypes($0) }
    let report: ObjectReport
    do throws(BPFObjectError) {
      report = try BPFObject.report(
        bytes: bytes.rawSpan, objectName: file, allowsExterns: true, allowsNoPrograms: true,
        kernel: kernelTypes, sectionTypes: sectionTypes, takesEveryType: true)
    } catch {
      var diagnostic = error.diagnostic
      diagnostic.message = "`\(file)`: \(diagnostic.message)"
      throw DiagnosedFailure(diagnostic)
    }
    if json {
      let answer = report.json(schema: Self.schema, file: file, digest: digest, byteCount: bytes.count)
      try Output.json(answer.adding(kernels))
    } else {
      let lines = report.lines(file: file, digest: digest, byteCount: bytes.count)
      for line in lines + (kernels?.lines ?? []) { try Output.line(line) }
    }
  }
}

extension InspectCommand {
  private static func tooLarge(_ what: String) -> DiagnosedFailure {
    DiagnosedFailure(
      Diagnostic(
        "object.too-large", .incomplete, what, expected: "at most \(BPFObject.maximumByteCount) bytes", found: "more"))
  }

  /// Reads the BTF of a kernel.
  private func readTypes(_ path: String) throws -> BTF {
    let descriptor = try OwnedFD.open(path, .readOnly)
    guard let bytes = try descriptor.readToEnd(limit: BPFObject.maximumByteCount) else {
      throw Self.tooLarge("`\(path)` is too large for a kernel's BTF")
    }
    do throws(BPFObjectError) {
      return try BTF(bytes.rawSpan)
    } catch {
      var diagnostic = error.diagnostic
      diagnostic.message = "`\(path)`: \(diagnostic.message)"
      throw DiagnosedFailure(diagnostic)
    }
  }
}

// MARK: - For people

extension ObjectReport {
  func lines(file: String, digest: Digest, byteCount: Int) -> [String] {
    let name = file.split(separator: "/").last.map { String($0) } ?? file
    var lines = [
      "object   \(name)  \(digest)",
      Output.row("size", "\(byteCount) bytes" + (debuggingSize > 0 ? ", \(debuggingSize) of them debugging data" : "")),
      Output.row(
        "license",
        license.isEmpty
          ? "none: not GPL-compatible"
          : "\(license)\(isGPLCompatible ? "" : ": not GPL-compatible")"),
    ]
    lines += typesLines
    for type in sectionTypes {
      lines.append(Output.row("typed", "section \(type.section): \(type.type), as asked for"))
    }
    if let contentsWithoutPrograms { lines.append("program  none: \(contentsWithoutPrograms)") }
    let promises = Dictionary(grouping: annotations, by: \.program)
    for program in programs {
      lines += program.lines
      for annotation in promises[program.name] ?? [] {
        lines.append(Output.row("promise", annotation.line(against: program)))
      }
    }
    for map in maps { lines.append(map.line) }
    for map in structOps {
      lines.append(
        "map      \(map.name)  struct_ops \(map.typeName), \(map.programs.map(\.program).joined(separator: ", "))")
    }
    for extern in externs {
      lines.append("kernel   \(extern.name)  \(extern.kind.noun)\(extern.isWeak ? ", if there" : "")")
    }
    for pointers in dataPointers { lines.append(Output.row("pointers", pointers.note.message)) }
    for field in configuration {
      lines.append("kernel   \(field.name)  configuration, \(field.size) bytes\(field.isWeak ? ", if there" : "")")
    }
    return lines
  }
}

extension ProgramReport {
  var lines: [String] {
    var title = "program  \(name)  \(typeName)"
    if let attachTypeName, attachTypeName != typeName { title += "/\(attachTypeName)" }
    if let target = kind.attachTarget { title += ", attaches to \(target.name)" }
    if isSleepable { title += ", sleepable" }
    if kind.isOptional { title += ", loaded on request" }
    var lines = [title, Output.row("section", section)]
    let code =
      linkError.map { "cannot be linked, and is not loaded: \($0)" }
      ?? "\(instructionCount) instructions, \(editedInstructionCount) of them changed by linking"
    lines.append(Output.row("code", code))
    let lists: [(String, [String])] = [
      ("functions", subprograms), ("maps", maps), ("kernel", kernelSymbols), ("helpers", helpers.map(\.label)),
      ("core", coreSubjects),
      ("needs", capabilities.map(\.name)),
      ("kernel", ["\(minimumKernel.version) or newer: \(minimumKernel.reason)"]),
      ("reads", readSubjects), ("writes", userWrites.map { "\($0.label), the memory of user space" }),
    ]
    for (label, entries) in lists where !entries.isEmpty {
      lines.append(Output.row(label, entries.joined(separator: ", ")))
    }
    if let readDeclaration {
      let areas = readDeclaration.areas.map { "\($0.type): \($0.fields.joined(separator: ", "))" }
      let excess = undeclaredReads.map { "instruction \($0.instruction), which \($0.reason)" }
      lines.append(
        Output.row(
          "promise",
          "it reads \(areas.isEmpty ? "nothing" : areas.joined(separator: "; ")): "
            + (excess.isEmpty ? "kept" : "BROKEN by \(excess.joined(separator: "; "))")))
    }
    for construct in unfollowed {
      lines.append(Output.row("unclear", "\(construct.label): it is not followed, so the worst is assumed"))
    }
    lines.append(
      Output.row(
        "class", isRestricted ? "restricted" : "full: \(classObjections.map(\.description).joined(separator: ", "))"))
    return lines + missingLines + coreLimitNotes.map { Output.row("core", $0.message) } + lockdownLines
  }

  /// What CO-RE relocations are about, each once.
  private var coreSubjects: [String] {
    var seen: Set<String> = []
    return coreRelocations.compactMap { $0.subject }.filter { seen.insert($0).inserted }
  }

  /// What it may read of the kernel, each once.
  private var readSubjects: [String] {
    var seen: Set<String> = []
    return kernelReads.map { read in
      switch read.means {
      case .helper(let helper): "\(helper.label), first called by instruction \(helper.instructions.first ?? 0)"
      case .pointer: read.subject ?? "through a pointer, by instruction \(read.instruction)"
      }
    }.filter { seen.insert($0).inserted }
  }

  /// What a kernel lacks that the program needs there, each once.
  private var missingLines: [String] {
    var order: [String] = []
    var instructions: [String: [Int]] = [:]
    for relocation in coreRelocations where relocation.isPoisoned {
      let subject = relocation.subject ?? "a type"
      if instructions[subject] == nil { order.append(subject) }
      instructions[subject, default: []].append(relocation.instruction)
    }
    return order.map { subject in
      let places = instructions[subject, default: []]
      let shown = places.prefix(8).map { String($0) }.joined(separator: ", ") + (places.count > 8 ? ", …" : "")
      return Output.row("missing", "\(subject), without which the kernel refuses to reach instruction \(shown)")
    }
  }

  private var lockdownLines: [String] {
    guard !restrictions.isEmpty else { return [Output.row("lockdown", "loads and attaches in every mode")] }
    return restrictions.map { restriction in
      var text = "\(restriction.reason.deniedFrom.rawValue) mode denies "
      if let helper = restriction.helper {
        text += "\(helper.label), first called by instruction \(helper.instructions.first ?? 0)"
      } else {
        switch restriction.moment {
        case .load: text += "loading"
        case .attach: text += "attaching"
        }
      }
      return Output.row("lockdown", "\(text) (\(restriction.reason.text))")
    }
  }
}

extension LinkedMap {
  var line: String {
    var text = "map      \(name)  \(typeName), key \(keySize), value \(valueSize), max_entries \(maxEntries)"
    if flags != 0 { text += ", flags 0x\(String(flags, radix: 16))" }
    if isFrozen { text += ", frozen" }
    if pinsByName { text += ", pinned by name" }
    for slot in initialSlots { text += ", [\(slot.index)] = \(slot.target)" }
    return text
  }
}

// MARK: - For programs

extension ObjectReport {
  func json(schema: String, file: String, digest: Digest, byteCount: Int) -> JSONValue {
    let programsByName = Dictionary(programs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let stated = sectionTypes.map { ["section": .string($0.section), "type": .string($0.type)] as JSONValue }
    return [
      "schema": .string(schema), "kind": "object", "file": .string(file), "object": .string("\(digest)"),
      "size": .integer(Int64(byteCount)), "debugging_size": .integer(Int64(debuggingSize)),
      "license": .string(license), "gpl_compatible": .bool(isGPLCompatible), "section_types": .array(stated),
      "programs": .array(programs.map(\.json)), "maps": .array(maps.map(\.report)),
      "contents_without_programs": .optional(contentsWithoutPrograms), "types": typesJSON,
      "data_pointers": pointersJSON,
      "annotations": .array(
        annotations.map { annotation in
          let name = annotation.program
          return annotation.json(against: programsByName[name])
        }),
      "struct_ops": .array(
        structOps.map {
          [
            "name": .string($0.name), "type": .string($0.typeName),
            "programs": .array($0.programs.map { .string($0.program) }),
          ]
        }),
      "kernel_symbols": .array(
        externs.map { ["name": .string($0.name), "kind": .string($0.kind.noun), "weak": .bool($0.isWeak)] }),
      "kernel_configuration": .array(
        configuration.map {
          ["name": .string($0.name), "size": .integer(Int64($0.size)), "weak": .bool($0.isWeak)]
        }),
      "sections": .array(sections.map { ["name": .string($0.name), "size": .integer(Int64($0.size))] }),
    ]
  }
}

extension ProgramReport {
  var json: JSONValue {
    [
      "name": .string(name), "section": .string(section), "type": .string(typeName),
      "attach_type": .optional(attachTypeName), "attach_target": .optional(kind.attachTarget?.name),
      "sleepable": .bool(isSleepable), "optional": .bool(kind.isOptional),
      "link_error": linkError.map { ["code": .string($0.check.rawValue), "message": .string($0.message)] } ?? .null,
      "instructions": .integer(Int64(instructionCount)),
      "linked_instructions": .integer(Int64(editedInstructionCount)),
      "helpers": .array(helpers.map(\.json)), "kernel_symbols": .array(kernelSymbols.map { .string($0) }),
      "functions": .array(subprograms.map { .string($0) }),
      "maps": .array(maps.map { .string($0) }),
      "core_relocations": .array(
        coreRelocations.map {
          [
            "kind": .string($0.kindName), "subject": .optional($0.subject),
            "instruction": .integer(Int64($0.instruction)),
            "in_kernel": $0.existsInKernel.map { .bool($0) } ?? nil, "kernel_limit": .optional($0.limit?.rawValue),
          ]
        }),
      "capabilities": .array(capabilities.map { .string($0.name) }),
      "minimum_kernel": ["version": .string("\(minimumKernel.version)"), "reason": .string(minimumKernel.reason)],
      "kernel_reads": .array(kernelReads.map(\.json)),
      "read_scope": .string(readScope.rawValue),
      "read_declaration": readDeclaration.map { declaration in
        .array(
          declaration.areas.map { ["type": .string($0.type), "fields": .array($0.fields.map { .string($0) })] })
      } ?? .null,
      "undeclared_reads": .array(
        undeclaredReads.map {
          [
            "instruction": .integer(Int64($0.instruction)), "subject": .optional($0.subject),
            "reason": .string($0.reason),
          ]
        }),
      "unfollowed": .array(
        unfollowed.map {
          [
            "instruction": $0.instruction.map { .integer(Int64($0)) } ?? nil, "construct": .string($0.description),
          ]
        }),
      "class": isRestricted ? "restricted" : "full",
      "powers": .array(powers.map { .string($0.rawValue) }),
      "class_objections": .array(classObjections.map { .string($0.description) }),
      "user_writes": .array(userWrites.map { .string($0.label) }),
      "lockdown": .object(LockdownMode.allCases.map { .init($0.rawValue, verdict(in: $0)) }),
    ]
  }

  private func verdict(in mode: LockdownMode) -> JSONValue {
    let denied = restrictions(in: mode)
    return [
      "loads": .bool(!denied.contains { $0.moment == .load }),
      "attaches": .bool(denied.isEmpty),
      "denied": .array(
        denied.map {
          [
            "reason": .string($0.reason.rawValue), "moment": .string($0.moment.rawValue),
            "helper": .optional($0.helper?.label),
            "instruction": $0.helper?.instructions.first.map { .integer(Int64($0)) } ?? nil,
          ]
        }),
    ]
  }
}

extension Annotation {
  /// What the author says, held against what the instructions do.
  func line(against report: ProgramReport) -> String {
    let words = powers.isEmpty ? "nothing" : powers.map(\.rawValue).joined(separator: ", ")
    let excess = self.excess(of: report)
    let verdict = excess.isEmpty ? "kept" : "BROKEN by \(excess.map(\.rawValue).joined(separator: ", "))"
    return "under \(mode.rawValue) it does \(words): \(verdict)"
  }

  func json(against report: ProgramReport?) -> JSONValue {
    let excess = report.map { self.excess(of: $0) } ?? []
    return [
      "program": .string(program), "mode": .string(mode.rawValue),
      "powers": .array(powers.map { .string($0.rawValue) }), "excess": .array(excess.map { .string($0.rawValue) }),
    ]
  }
}

extension KernelRead {
  var json: JSONValue {
    let helper: String? = if case .helper(let use) = means { use.label } else { nil }
    return [
      "means": helper == nil ? "pointer" : "helper", "helper": .optional(helper),
      "instruction": .integer(Int64(instruction)), "subject": .optional(subject),
    ]
  }
}

extension HelperUse {
  var json: JSONValue {
    [
      "id": .integer(Int64(id)), "name": .optional(name),
      "instructions": .array(instructions.map { .integer(Int64($0)) }),
    ]
  }
}

extension LinkedMap {
  var report: JSONValue {
    [
      "name": .string(name), "type": .string(typeName), "key_size": .integer(Int64(keySize)),
      "value_size": .integer(Int64(valueSize)), "max_entries": .integer(Int64(maxEntries)),
      "flags": .integer(Int64(flags)), "frozen": .bool(isFrozen), "pinned_by_name": .bool(pinsByName),
    ]
  }
}
