import CFuzzer
import FuzzTargets
import Glibc

if CommandLine.arguments.dropFirst() == ["-length"] {
  print(target.maximumByteCount)
  exit(0)
}
vb_fuzz_mutate_by(mutate)
var count = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
let status = withUnsafeMutablePointer(to: &arguments) { pointer in
  pointer.withMemoryRebound(to: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?.self, capacity: 1) {
    LLVMFuzzerRunDriver(&count, $0, fuzzOne)
  }
}
exit(status)
