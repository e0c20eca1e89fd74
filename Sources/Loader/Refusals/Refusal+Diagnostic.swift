internal import KernelABI
internal import Base
internal import BPFAnalysis
internal import Linux

extension Refusal.Permission {
  /// EPERM has many fathers; name the one that was found, and how.
  var diagnostic: Diagnostic {
    let names = { (capabilities: [Capability]) in capabilities.map { $0.name }.joined(separator: ", ") }
    var result = Diagnostic(
      "load.not-permitted", .kernelRefused, "the kernel does not permit this process to \(action)",
      expected: needed.isEmpty ? nil : names(needed), found: error?.description)
    result.details = found.map { "seen         \($0)" }
    switch cause {
    case .capability(let missing):
      result.code = "load.capability"
      result.message = "to \(action) needs \(names(missing)), which this process does not have"
      result.next = "run as root, or with `setpriv --ambient-caps` or AmbientCapabilities= for \(names(missing))"
    case .sysctl(let name, let value):
      result.code = "load.sysctl"
      result.why = "\(name) is \(value): nobody loads anything without CAP_BPF, not even what anybody might"
      result.next = "run with CAP_BPF"
    case .userNamespace:
      result.code = "load.user-namespace"
      result.why = "this process is in a user namespace, whose capabilities do not count for BPF"
      result.next = "load from the initial user namespace, outside the container"
    case .lockdown(let mode):
      result.code = "load.lockdown"
      result.why = "the kernel is locked down\(mode.map { " (\($0.rawValue))" } ?? ""), and does not allow this then"
      result.next = "use a kind of program that lockdown allows (tp_btf, fentry, iter), or another machine"
    case .systemCallFilter:
      result.code = "load.seccomp"
      result.why = "a seccomp filter forbids bpf(2) to this process, as container runtimes do by default"
      result.next = "load from outside the container, or allow bpf(2) in its seccomp profile"
    case .securityModule(let names):
      result.code = "load.security-module"
      result.why = "a security module refuses" + (names.isEmpty ? "" : ": one of \(names.joined(separator: ", "))")
      result.next = "look for its record: ausearch -m AVC,BPF, or dmesg; bpftool prog show lists BPF LSM programs"
    case .kernelBuild:
      result.why = "this kernel takes nothing of this kind, from nobody; others of its version may"
      result.next = "use another kernel, or a program of another kind (tp_btf, raw_tp, iter)"
    case .unknown:
      result.why = "nothing that can be seen from here explains it"
      result.next = "look for a reason in the kernel's messages (dmesg) and in the list of active security modules"
    }
    return result
  }
}

extension Refusal.Program {
  /// Where the kernel suggests nothing.
  private static let advice =
    "change the source there so that the verifier can follow it: check bounds, compare pointers with NULL, bound loops; "
    + "the whole log says what it knew of each register"

  var diagnostic: Diagnostic {
    var result = Diagnostic(
      "load.verifier", .kernelRefused, "the kernel's verifier refuses program `\(name)` of section `\(section)`",
      found: reason ?? error.description, why: explanation.isEmpty ? nil : explanation.joined(separator: " "),
      next: suggestion.isEmpty ? Self.advice : suggestion.joined(separator: " "))
    if let instruction { result.details.append("instruction  \(instruction)") }
    if let source { result.details.append("source       \(source)") }
    if let absentFunction {
      result.code = "load.absent-function"
      result.expected = "the kernel function `\(absentFunction)`, which the object declares weak"
      result.found = "this kernel has no `\(absentFunction)`, and the program reaches its call"
      result.next = "ask bpf_ksym_exists(\(absentFunction)) before the call, or use a kernel that has it"
    }
    if let unresolvedRelocation {
      result.code = "load.core-no-match"
      result.expected = "\(unresolvedRelocation.subject) in the running kernel's types"
      result.why = "the instruction needs a CO-RE relocation that this kernel has no answer to"
      if let release = unresolvedRelocation.kernelRelease {
        result.details.append("kernel       \(release) (types from \(KernelBTF.path))")
      }
      switch unresolvedRelocation.nearMiss {
      case .names(let names):
        result.details.append(
          "comes near   \(names.isEmpty ? "nothing" : names.map { "`\($0)`" }.joined(separator: ", "))")
      case .otherKind(let field, let wanted, let found):
        result.expected = "\(unresolvedRelocation.subject) of kind \(wanted.name) in the running kernel's types"
        result.found = "the kernel has `\(field)` of kind \(found.name)"
        result.why = "CO-RE takes fields for each other only where they are of one kind"
      }
      result.next = "guard the access with bpf_core_field_exists(), or use a kernel that has it"
    }
    if let beyondKernel {
      result.code = "load.core-limit"
      result.found = beyondKernel
      result.why = "the kernel refuses a program with a CO-RE record that it does not follow, where libbpf answers it"
      result.next = "load it with --resolve-core user, which has the loader answer and lists the instructions"
    }
    if let lockdown {
      result.code = "load.lockdown"
      result.why = "the kernel is locked down (\(lockdown.rawValue)), and this helper is not allowed then"
      result.next = "read through BTF pointers instead (tp_btf, fentry, iter), which lockdown allows"
    }
    if !missing.isEmpty {
      let names = missing.map(\.name).joined(separator: ", ")
      result.code = "load.capability"
      result.expected = names
      result.why = "the verifier allows this only to a process with \(names), which this process does not have"
      result.next = "run as root, or with `setpriv --ambient-caps` or AmbientCapabilities= for \(names)"
    }
    if !logTail.isEmpty {
      result.details.append("verifier log, last \(logTail.count) lines:")
      result.details += logTail.map { "  \($0)" }
    }
    if let logPath { result.details.append("whole log    \(logPath)") }
    return result
  }
}
