import BPFAnalysis
import BPFObject
import Base
import KernelABI
import Linux
import Testing

@testable import Loader

/// CO-RE records that the kernel does not follow and libbpf does.
@Suite(.enabled(if: Machine.loads)) struct CoreAnswerTests {
  private static func asked() throws -> LinkedObject { try Objects.linked(Objects.fixture("deep_match")) }

  @Test func theKernelsRefusalNamesTheRecord() throws {
    let told = try Objects.refusal(Self.asked()).diagnostic
    #expect(told.code == "load.core-limit" && told.next?.contains("--resolve-core user") == true)
    #expect(told.found?.contains("type_matches of `task_struct___deep`") == true, "\(told.found ?? "")")
    #expect(told.found?.contains("deep_match.bpf.c:") == true)
  }

  /// With the answers filled in the program loads, and the other record is still the kernel's.
  @Test func theLoaderAnswersWhatTheKernelDoesNot() throws {
    var linked = try Self.asked()
    let before = linked.programs[0].coreRelocations.count
    linked.answerRecords()
    let edits = linked.kernelEdits.filter { $0.value == .coreAnswer }
    #expect(edits.map(\.name) == ["task_struct___deep", "task_struct___other"])
    #expect(linked.programs[0].coreRelocations.count == before)
    let answered = try ObjectLoader.answeringRecords(of: linked)
    #expect(answered.programs[0].coreRelocations.count == before / 3)
    let code = answered.programs[0].instructions
    let values = edits.map { edit -> UInt32? in
      guard case .instruction(_, let index) = edit.place else { return nil }
      return try? code.rawSpan.u32(at: index * 8 + 4)
    }
    #expect(values == [1, 0])
    // No other instruction has changed.
    let places = Set(edits.compactMap { if case .instruction(_, let index) = $0.place { index } else { nil } })
    for index in 0..<linked.programs[0].instructions.count / 8 where !places.contains(index) {
      let range = index * 8..<index * 8 + 8
      #expect(linked.programs[0].instructions[range] == answered.programs[0].instructions[range])
    }
    let loaded = try ObjectLoader.load(linked, options: LoadOptions())
    #expect(loaded.programs.count == 1)
  }
}
