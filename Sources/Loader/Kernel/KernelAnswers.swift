internal import BPFAnalysis
internal import BPFObject
internal import Base
internal import Linux

/// CO-RE records that the loader answers in the kernel's place.
extension ObjectLoader {
  /// The object with the answers of the running kernel's types in its instructions; an object without such records is
  /// returned as it is. A record about a type that only a module may have stays with the kernel.
  static func answeringRecords(of linked: LinkedObject) throws(BPFLoadError) -> LinkedObject {
    guard let program = linked.programs.first(where: { !$0.answered.isEmpty }) else { return linked }
    let kernel: KernelBTF
    do throws(SystemError) {
      kernel = try KernelBTF.open()
    } catch {
      throw .noKernelBTF(program: program.name, error: error)
    }
    let answers: CoreAnswers
    do throws(BPFObjectError) {
      answers = CoreAnswers(object: try BTF(linked.btf.rawSpan), kernel: try BTF(kernel.bytes))
    } catch {
      throw .unreadableKernelBTF(reason: error.description)
    }
    do throws(BPFObjectError) {
      return try linked.answering { record throws(BPFObjectError) in try answers.answer(record) }
    } catch {
      throw .unresolvable(error)
    }
  }
}
