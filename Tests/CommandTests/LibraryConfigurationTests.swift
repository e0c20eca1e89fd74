import Base
import Linux
import TestSupport
import Testing

/// A library that the environment names, as a provider or an engine of OpenSSL's: it writes a line when it is loaded.
@Suite struct LibraryConfigurationTests {
  let directory: TemporaryDirectory

  init() throws {
    directory = try BuildImageTests.sources(["a.bpf.o"])
    try directory.write(
      "provider.c",
      """
      #include <unistd.h>
      __attribute__((constructor)) static void loaded(void) { (void)!write(2, "FOREIGN CODE\\n", 13); }
      """)
    try Directory.create(directory.file("modules"))
    try Tools.run(
      "clang", "-shared", "-fPIC", "-o", directory.file("modules/legacy.so"), directory.file("provider.c"))
    try Tools.run("cp", directory.file("modules/legacy.so"), directory.file("modules/pkcs11.so"))
    try directory.write(
      "openssl.cnf",
      """
      openssl_conf = start
      [start]
      providers = list
      engines = engines
      [list]
      default = usual
      legacy = legacy
      [usual]
      activate = 1
      [legacy]
      activate = 1
      module = \(directory.file("modules/legacy.so"))
      [engines]
      pkcs11 = mine
      [mine]
      dynamic_path = \(directory.file("modules/pkcs11.so"))
      """)
    try Tools.run(
      "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
      directory.file("key"), "-out", directory.file("crt"), "-subj", "/CN=one")
    try Directory.create(directory.file("trust"))
    for set in ["bpf", "image"] {
      try Directory.create(directory.file("trust/\(set)"))
      try Tools.run("cp", directory.file("crt"), directory.file("trust/\(set)/one.pem"))
    }
    try directory.write("any.pol", "policy_name=any policy_version=1.0.0\nDEFAULT action=ALLOW\n")
    let signed = ["--certificate", "crt", "--private-key", "key"]
    let store = ["--store", "store", "--audit-dir", "log"]
    for arguments in [
      ["build-image", "progs", "-o", "out.raw"] + signed, ["sign", "file", "progs/a.bpf.o"] + signed,
      ["policy", "sign", "any.pol"] + signed, ["policy", "init", "--certificate", "crt"] + store,
      ["policy", "install", "any.p7b"] + store,
    ] {
      let result = try VerityBPFCommand.run(arguments, in: directory.path)
      try #require(result.status == 0, "\(arguments): \(result.errors)")
    }
  }

  private func run(_ arguments: [String]) throws -> VerityBPFCommand.Result {
    let variables = [
      "OPENSSL_CONF=\(directory.file("openssl.cnf"))", "OPENSSL_MODULES=\(directory.file("modules"))",
      "OPENSSL_ENGINES=\(directory.file("modules"))", "SSL_CERT_FILE=/nonexistent", "SSL_CERT_DIR=/nonexistent",
      "PATH=/nonexistent",
    ]
    // The file that the library reads by itself says the same.
    let script = """
      place=$(openssl version -d | sed 's/^OPENSSLDIR: "\\(.*\\)"$/\\1/')
      mount --bind openssl.cnf "$place/openssl.cnf"
      exec /usr/bin/env "$@"
      """
    let wrapper = Tools.isRoot ? ["unshare", "--mount", "sh", "-ec", script, "sh"] : ["/usr/bin/env"]
    return try VerityBPFCommand.run(arguments, in: directory.path, wrapper: wrapper + variables)
  }

  /// What verifies, loads, mounts or reads policies holds no code that the environment names, and runs no program.
  @Test(arguments: [
    ["verify", "out.raw", "--certificate", "crt"], ["verify", "out.raw", "--trust-anchors", "trust"],
    ["verify", "progs/a.bpf.o", "--trust-anchors", "trust"], ["inspect", "out.raw"],
    ["provenance", "--image", "out.raw", "--object", "a.bpf.o", "--trust-anchors", "trust"],
    [
      "load", "--image", "out.raw", "--object", "a.bpf.o", "--policy", "any.pol", "--trust-anchors", "trust",
      "--dry-run",
    ],
    ["load", "--object", "progs/a.bpf.o", "--policy", "any.pol", "--trust-anchors", "trust", "--dry-run"],
    ["policy", "check", "any.pol"], ["policy", "list", "--store", "store"],
    ["policy", "activate", "any", "--store", "store", "--audit-dir", "log"], ["doctor"],
  ])
  func noForeignCode(arguments: [String]) throws {
    let plain = try VerityBPFCommand.run(arguments, in: directory.path)
    let result = try run(arguments)
    #expect(!result.errors.contains("FOREIGN CODE"), "\(arguments)")
    #expect(result.status == plain.status, "\(arguments): \(result.errors)")
  }

  @Test(.enabled(if: Tools.isRoot, "not root: nothing can be mounted")) func mounting() throws {
    try Directory.create(directory.file("mnt"))
    // It goes with its mount namespace.
    let result = try run(["mount", "out.raw", "mnt"])
    #expect(!result.errors.contains("FOREIGN CODE"))
  }

  /// Signing follows the configuration, for keys that a provider or an engine keeps; what it names and is not there is an error.
  @Test func signingIsConfigured() throws {
    let result = try run(["sign", "file", "progs/a.bpf.o", "--certificate", "crt", "--private-key", "key"])
    #expect(result.errors.contains("FOREIGN CODE"), "\(result.errors)")
    #expect(result.status == 1 && result.errors.contains("error[signature.configuration]"), "\(result.errors)")
  }
}
