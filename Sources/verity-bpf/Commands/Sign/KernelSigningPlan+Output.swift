import Base
import Signatures

extension KernelSigningPlan {
  /// For people: what the kernel can check, and what it cannot.
  var lines: [String] {
    let made = contents.map { Output.row("kernel", "program `\($0.program)`: \($0.form.name)") }
    let left = omissions.map { omission in
      let what = omission.program.map { "program `\($0)`: " } ?? ""
      let form = omission.form.map { "no \($0.name), " } ?? "nothing, "
      return Output.row("kernel", "\(what)\(form)\(omission.reason)")
    }
    return made + left
  }

  var json: JSONValue {
    [
      "signatures": .array(contents.map { ["program": .string($0.program), "form": .string($0.form.name)] }),
      "omitted": .array(
        omissions.map {
          ["program": .optional($0.program), "form": .optional($0.form?.name), "reason": .string($0.reason)]
        }),
    ]
  }
}
