import Linux

/// `doctor` and `self-test` on a machine whose state is known.
enum HostCases {
  static let suite = Suite(
    name: "host",
    cases: [
      Case("doctor-sees-what-is-there") {
        // Where a distribution puts it.
        let configuration = "/boot/config-\(try KernelReports.release())"
        try? Directory.create("/boot")
        try Machine.write(configuration, Machine.read("/kernel-config"))
        let result = try Command.run("doctor", "--json")
        // A gap or none: both are an answer.
        try expect([0, 6].contains(result.status), "exit \(result.status): \(result.text)")
        let mode = Machine.boot == .confidentiality ? "confidentiality" : "integrity"
        var wanted = [
          #""id":"lockdown","state":"good","found":"\#(mode)""#, #""id":"module-signatures","state":"good""#,
          #""id":"security-modules","state":"good""#, #""id":"dm-verity","state":"good""#,
          #""id":"require-signatures","state":"weak","found":"off""#, #""id":"loop","state":"good""#,
          #""id":"bpf","state":"good""#, #""id":"btf","state":"good""#, #""id":"fs-verity","state":"good""#,
        ]
        if Machine.boot == .secureBoot { wanted.append(#""id":"keyrings","state":"good""#) }
        if Machine.isConfigured("CONFIG_DM_VERITY_VERIFY_ROOTHASH_SIG=y") {
          wanted.append(#""id":"dm-verity-signatures","state":"good""#)
        }
        for text in wanted { try expect(result.text.contains(text), "no \(text) in \(result.text)") }
        if Machine.setting("only") == "host" { Machine.say("# \(try Command.run("doctor", "--record").text)") }
      },
      Case("self-test-holds") {
        try Command.expectStatus(0, try Command.run("self-test", "--image", "/images/demo.raw"))
      },
    ])
}
