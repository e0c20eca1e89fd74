import KernelABI
import Admission
import BPFAnalysis
import BPFObject
import Base
@_spi(ProgramLoading) import Linux
import Loader
import Provenance

// What a load costs in process, step by step: load-benchmark IMAGE OBJECT POLICY AUDIT-DIRECTORY [MOUNTED-FILE [ROUNDS]].
// One JSON object a line with the median, the lower quartile and the best of the rounds, in microseconds. "kernel" is bpf(2) alone, given
// arrays that are already linked; what "admission" takes beyond it in the same round is ours. Needs the privilege to load
// programs. With IMAGE and OBJECT alone, which need not be a BPF object then, only the proof is measured.

let arguments = CommandLine.arguments
guard arguments.count >= 5 || arguments.count == 3 else {
  try StandardStream.error.write(
    "usage: load-benchmark IMAGE OBJECT [POLICY AUDIT-DIRECTORY [MOUNTED-FILE [ROUNDS]]]\n")
  throw Usage()
}
struct Usage: Error {}
let (image, object) = (arguments[1], arguments[2])
let (policy, audit) = arguments.count > 3 ? (arguments[3], arguments[4]) : ("", "")
let mounted = arguments.count > 5 && !arguments[5].isEmpty ? arguments[5] : nil
let rounds = arguments.count > 6 ? Int(arguments[6]) ?? 100 : 100

/// Steps that take turns, so that all meet the same noise.
struct Step {
  let name: String
  let run: () throws -> Void
  var microseconds: [Double] = []
}

func contents(_ path: String) throws -> [UInt8] {
  try OwnedFD.open(path, .readOnly).readToEnd(limit: 64 << 20) ?? []
}

/// Nothing is kept from one round to the next: each proof starts with a file that nobody has opened.
func proven() throws -> [UInt8] {
  var examination = Examination()
  return try examination.examine(image: image, object: object).bytes.copyBytes()
}

/// Runs the steps in turn and prints what each took.
func report(_ steps: inout [Step]) throws {
  for round in 0...rounds {
    for index in steps.indices {
      let start = ContinuousClock.now
      try steps[index].run()
      let elapsed = (ContinuousClock.now - start) / .microseconds(1)
      if round > 0 { steps[index].microseconds.append(elapsed) }  // the first round warms up
    }
  }
  func write(_ name: String, median: Double, quartile: Double, best: Double) throws {
    try StandardStream.output.write(
      "{\"step\": \"\(name)\", \"median_us\": \(Int(median)), \"quartile_us\": \(Int(quartile)), "
        + "\"best_us\": \(Int(best))}\n")
  }
  func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
  func quartile(_ values: [Double]) -> Double { values.sorted()[values.count / 4] }
  func times(_ name: String) -> [Double]? { steps.first { $0.name == name }?.microseconds }
  for step in steps {
    let times = step.microseconds
    try write(step.name, median: median(times), quartile: quartile(times), best: times.min() ?? 0)
  }
  if let kernel = times("kernel"), let whole = times("admission"), let bestKernel = kernel.min(), let best = whole.min()
  {
    try write(
      "beyond the kernel", median: median(zip(whole, kernel).map { $0 - $1 }),
      quartile: quartile(whole) - quartile(kernel), best: best - bestKernel)
  }
}

let bytes = try proven()
if arguments.count == 3 {
  var steps = [Step(name: "prove from image") { _ = try proven() }]
  try report(&steps)
} else {
  try measureLoad()
}

func measureLoad() throws {
  let name = String(object.split(separator: "/").last ?? "")
  let linked = try BPFObject.link(bytes: bytes.rawSpan, objectName: name)

  /// The same calls of bpf(2) as a load makes, and nothing else.
  func kernelWork() throws {
    let btf = try BPF.loadBTF(linked.btf)
    var maps: [KernelObject] = []
    for map in linked.maps {
      var attributes = BPF.MapAttributes(
        type: map.type, keySize: map.keySize, valueSize: map.valueSize, maxEntries: map.maxEntries)
      attributes.flags = map.flags
      attributes.name = map.kernelName
      (attributes.keyTypeID, attributes.valueTypeID) = (map.btfKeyTypeID, map.btfValueTypeID)
      let made = try BPF.createMap(attributes, btf: attributes.valueTypeID == 0 ? nil : btf)
      if !map.initialValue.isEmpty { try BPF.update(made, key: [0, 0, 0, 0], value: map.initialValue) }
      if map.isFrozen { try BPF.freeze(made) }
      maps.append(made)
    }
    for program in linked.programs {
      let attributes = BPF.ProgramAttributes(program, license: linked.license)
      _ = try BPF.programInfo(BPF.loadProgram(attributes, btf: btf, maps: maps))
    }
  }

  func admission(_ object: AdmissionRequest.Object, isDryRun: Bool) throws {
    let request = AdmissionRequest(policy: try contents(policy), policyName: policy, auditDirectory: audit)
    let attempts: LoadAttempts = isDryRun ? .deciding([object], request) : try .begin([object], request)
    let outcome = try Admission(request, attempts).admit()
    guard outcome.isAllowed else { throw Usage() }
  }

  let fromImage = AdmissionRequest.Object.image(path: image, object: object)
  var steps = [
    Step(name: "prove from image") { _ = try proven() },
    Step(name: "link") { _ = try BPFObject.link(bytes: bytes.rawSpan, objectName: name) },
    Step(name: "report") { _ = BPFObject.reports(of: linked) },
    Step(name: "decide, nothing loaded") { try admission(fromImage, isDryRun: true) },
  ]
  if linked.programs.allSatisfy({ $0.kind.attachTarget == nil }) {
    steps.append(Step(name: "kernel", run: kernelWork))
  }
  steps.append(Step(name: "admission") { try admission(fromImage, isDryRun: false) })
  if let mounted {
    steps.append(
      Step(name: "prove from mount") {
        let file = try OwnedFD.open(mounted, .readOnly)
        var examination = Examination()
        _ = try examination.examine(fd: file.withRaw { $0 })
      })
  }

  try report(&steps)
}
