import Base
import Policy
import Testing

@Suite struct FactsTests {
  private func read(_ text: String) throws(FactsError) -> [Facts] { try Facts.read(Array(text.utf8)) }

  @Test func theDocumentedForm() throws {
    let hex = String(repeating: "1f", count: 32)
    let facts = try #require(
      try read(
        """
        {"op":"EXECUTE","boot_verified":false,"dmverity_roothash":"sha256:\(hex)","dmverity_signature":true,
         "fsverity_digest":null,"fsverity_signature":false}
        """
      ).first)
    #expect(facts.operation == .execute && facts.bootVerified == false && facts.dmveritySignature == true)
    #expect(facts.dmverityRoothash == DigestLiteral("sha256:\(hex)") && facts.fsverityDigest == nil)
  }

  @Test func manyFactsSurviveARoundTrip() throws {
    let hex = String(repeating: "1f", count: 32)
    let text = """
      [{"op":"BPF_PROG_LOAD","boot_verified":true,"dmverity_roothash":"sha256:\(hex)","dmverity_signature":false,
        "fsverity_digest":"sha512:\(hex)\(hex)","fsverity_signature":false,"bpf_signature":"OK","bpf_keyring":"BPF",
        "bpf_kernel":false,"x_witness":"BOTH","x_sig_source":"USERSPACE","x_signer":["sha256:\(hex)"],
        "x_path":"/progs/a.bpf.o","x_object":"sha256:\(hex)","x_prog_type":["xdp","lsm"],"x_attach_type":["lsm_mac"],
        "x_helpers":[],"x_lockdown":"INTEGRITY","x_class":"RESTRICTED","x_reads":"NONE",
        "x_dmverity_mode":"PANIC","x_image_name":"tools",
        "x_image_version":"1.4.0","x_requester_uid":0,"x_requester_gid":1000,"x_requester_path":"/usr/bin/bpftrace",
        "x_requester_object":"sha256:\(hex)","x_requester_dmverity_roothash":"sha256:\(hex)",
        "x_requester_dmverity_signature":true}, {"op":"UNKNOWN"}]
      """
    let facts = try read(text)
    #expect(facts.count == 2 && facts[1].operation == nil)
    #expect(facts[0].text(of: .helpers) == "" && facts[0].text(of: .imageVersionMin) == "1.4.0")
    for entry in facts { #expect(try read(entry.json.compact) == [entry]) }
  }

  @Test(arguments: [
    ("{}", 1, 1, "`op` is missing"),
    ("[{\"op\":\"EXECUTE\"},\n {}]", 2, 2, "`op` is missing"),
    ("{\"op\":\"EXEC\"}", 1, 2, "expected one of"),
    ("{\"op\":\"EXECUTE\",\n  \"boot_verifed\":true}", 2, 3, "did you mean boot_verified?"),
    ("{\"op\":\"EXECUTE\",\"nothing\":null}", 1, 17, "no such fact"),
    ("{\"op\":\"EXECUTE\",\"boot_verified\":\"yes\"}", 1, 17, "write TRUE or FALSE"),
    ("{\"op\":\"EXECUTE\",\"boot_verified\":1}", 1, 17, "write TRUE or FALSE"),
    ("{\"op\":\"EXECUTE\",\"dmverity_roothash\":\"abcd\"}", 1, 17, "alg:hex"),
    ("{\"op\":\"EXECUTE\",\"x_path\":\"relative\"}", 1, 17, "absolute path"),
    ("{\"op\":\"EXECUTE\",\"x_prog_type\":[\"xpd\"]}", 1, 17, "kernel's names"),
    ("{\"op\":\"EXECUTE\",\"x_prog_type\":[\"xdp,lsm\"]}", 1, 17, "something else than words"),
    ("{\"op\":\"EXECUTE\",\"x_requester_uid\":-1}", 1, 17, "one number"),
    ("{\"op\":\"EXECUTE\",\"x_requester_uid\":1.5}", 1, 17, "no value of a fact"),
    ("{\"op\":\"EXECUTE\",\"op\":\"EXECUTE\"}", 1, 17, "two members"),
    ("{\"op\":\"EXECUTE\",\"x_image_version\":\"1\",\n\"x_image_version_min\":\"1\"}", 2, 1, "given twice"),
    ("{\"op\":\"BPF_PROG_LOAD\",\"bpf_signature\":\"UNSIGNED\",\"bpf_keyring\":\"USER\"}", 1, 50, "contradicts"),
    ("{\"op\":\"BPF_PROG_LOAD\",\"x_witness\":\"BOTH\"}", 1, 23, "contradicts"),
    ("[1]", 1, 1, "an object"), ("{\"op\":", 1, 7, "ends"), ("", 1, 1, "ends"),
  ])
  func whatIsWrongIsRefusedWithItsPlace(text: String, line: Int, column: Int, explanation: String) {
    do {
      let facts = try read(text)
      Issue.record("taken: \(facts)")
    } catch {
      #expect(error.position == SourcePosition(line: line, column: column))
      #expect(error.explanation.contains(explanation), "\(error.explanation)")
    }
  }
}
