import Base
import Linux
import TestSupport
import Testing

/// Runs that are killed with SIGKILL at moments spread over their whole time: what is left is never wrong, and the next run
/// goes through and clears it away.
@Suite struct KilledRunsTests {
  let directory: TemporaryDirectory

  init() throws { directory = try BuildImageTests.sources(["a.bpf.o"]) }

  /// Runs a command and kills it after so many microseconds; whether it was still running then.
  private func kill(_ arguments: [String], after microseconds: Int) throws -> Bool {
    let seconds = String(Double(microseconds) / 1_000_000)
    let script =
      "\"$@\" >/dev/null 2>&1 & child=$!; sleep \(seconds); kill -KILL $child 2>/dev/null; wait $child; exit $?"
    let result = try Subprocess.run(
      ["sh", "-c", "cd '\(directory.path)' && { \(script); }", "sh", VerityBPFCommand.path] + arguments)
    return result.status == 137
  }

  /// Two images in turn under one name, signed: whenever there is a root hash beside the image, it and the signature are the
  /// image's.
  @Test(arguments: ["appended", "sidecar"])
  func buildImage(layout: String) throws {
    try Tools.run(
      "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
      directory.file("key"), "-out", directory.file("crt"), "-subj", "/CN=one")
    let build = [
      "build-image", "progs", "-o", "out.raw", "--layout", layout, "--certificate", "crt", "--private-key", "key",
    ]
    let stopwatch = Stopwatch()
    let first = try VerityBPFCommand.run(build + ["--seed", "first"], in: directory.path)
    try #require(first.status == 0, "\(first.errors)")
    let time = Int(stopwatch.seconds * 1_000_000)
    var (killed, without) = (0, 0)
    for round in 0..<40 {
      // Names are given at the end, so most of the moments are there.
      let moment = round.isMultiple(of: 2) ? time * round / 40 : time * (60 + round) / 100
      if try kill(build + ["--seed", "\(round)"], after: moment) { killed += 1 }
      let hash = (try? directory.read("out.roothash")) ?? []
      guard !hash.isEmpty else {
        without += 1
        continue
      }
      let verified = try VerityBPFCommand.run(["verify", "out.raw", "--certificate", "crt"], in: directory.path)
      #expect(verified.status == 0, "round \(round): \(verified.errors)")
    }
    #expect(killed > 5, "\(killed) were killed, \(without) left no root hash")
    let last = try VerityBPFCommand.run(build + ["--seed", "last"], in: directory.path)
    #expect(last.status == 0, "\(last.errors)")
    #expect(try VerityBPFCommand.run(["verify", "out.raw", "--certificate", "crt"], in: directory.path).status == 0)
    let tree = layout == "sidecar" ? ["out.verity"] : []
    let expected = (["crt", "key", "out.raw", "out.roothash", "out.roothash.p7s", "progs"] + tree).sorted()
    #expect(try Directory.names(directory.path).sorted() == expected)
  }

  @Test func policyInit() throws {
    try Tools.run(
      "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
      directory.file("key"), "-out", directory.file("crt"), "-subj", "/CN=one")
    let store = ["--store", "lib/store", "--audit-dir", "log"]
    for round in 0..<30 {
      if round.isMultiple(of: 3) { try Tools.run("rm", "-rf", directory.file("lib")) }
      _ = try kill(["policy", "init", "--certificate", "crt"] + store, after: 200 * round)
      let list = try VerityBPFCommand.run(["policy", "list"] + store, in: directory.path)
      guard list.status != 0 else { continue }
      #expect(list.status == 1 && list.errors.contains("error[store.none]"), "round \(round): \(list.errors)")
      let again = try VerityBPFCommand.run(["policy", "init", "--certificate", "crt"] + store, in: directory.path)
      #expect(again.status == 0, "round \(round): \(again.errors)")
      #expect(try VerityBPFCommand.run(["policy", "list"] + store, in: directory.path).status == 0)
      #expect(try Directory.names(directory.file("lib/store")) == ["lock", "messages", "state", "trusted.pem"])
    }
  }
}
