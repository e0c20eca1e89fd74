import Base
import Linux
import Signatures
import TestSupport
import Testing

/// Files of certificates with a block that is damaged, cut or of another kind: each is named by its number, and nothing that
/// stands behind it is passed over.
@Suite struct PEMTests {
  private let tool: OpenSSLTool
  private let one: String
  private let two: String
  private let three: String

  init() throws {
    tool = try OpenSSLTool()
    for name in ["one", "two", "three"] { try tool.makeKey(name, ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]) }
    one = String(decoding: try tool.read("one.crt"), as: UTF8.self)
    two = String(decoding: try tool.read("two.crt"), as: UTF8.self)
    three = String(decoding: try tool.read("three.crt"), as: UTF8.self)
  }

  private func lines(_ text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// The block that is named, or nil when the text is read.
  private func refused(_ text: String) throws -> Int? {
    do throws(SignatureError) {
      _ = try Certificates(pem: Array(text.utf8))
      return nil
    } catch {
      guard case .damagedBlock(let number, _) = error else { throw error }
      #expect(error.diagnostic.code == "signature.certificate")
      return number
    }
  }

  /// The ways to damage a certificate's block.
  private func damaged(_ pem: String) -> [(how: String, text: String)] {
    var base64 = lines(pem)
    base64[2] = "!!!" + base64[2].dropFirst(3)
    var short = lines(pem)
    short.remove(at: 3)
    var headed = lines(pem)
    headed.insert(
      contentsOf: ["Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF", ""], at: 1)
    return [
      ("base64", base64.joined(separator: "\n")), ("a line missing", short.joined(separator: "\n")),
      ("encrypted", headed.joined(separator: "\n")),
      ("no beginning", lines(pem).dropFirst().joined(separator: "\n")),
      ("no end", lines(pem).dropLast(2).joined(separator: "\n") + "\n"),
      ("a boundary with four dashes", String(pem.dropFirst())),
      ("an end of another label", pem.replacing("END CERTIFICATE", with: "END CERTIFICATF")),
      ("the end misspelt", pem.replacing("-----END", with: "-----EMD")),
      ("another label", pem.replacing("CERTIFICATE", with: "X509 CRL")),
      ("a trusted certificate", pem.replacing("CERTIFICATE", with: "TRUSTED CERTIFICATE")),
      (
        "bytes behind the certificate",
        lines(pem).dropLast(2).joined(separator: "\n") + "\nAAAA\n-----END CERTIFICATE-----\n"
      ),
    ]
  }

  @Test func damageIsNamedWhereverItIs() throws {
    for (how, text) in damaged(two) {
      let found = [try refused(text + one + three), try refused(one + text + three), try refused(one + three + text)]
      // A block without an end is met where the next begins, and one with a second end where that is.
      #expect(found.allSatisfy { $0 != nil }, "\(how): \(found)")
      let expected: [[Int]] = [[1, 2], [2, 3], [3, 4]]
      for (number, range) in zip(found, expected) { #expect(range.contains(number ?? 0), "\(how): \(found)") }
    }
  }

  /// A file that is cut at any byte is read as far as whole blocks go, or refused; it never loses a block that begins.
  @Test func filesThatAreCut() throws {
    let text = Array((one + two).utf8)
    let first = one.utf8.count
    for end in 1..<text.count {
      let cut = Array(text[..<end])
      let expected: Int? =
        // The line feed at the end of a block may be missing, and dashes begin every block.
        end == first || end == first - 1 ? 1 : end == text.count - 1 ? 2 : nil
      do throws(SignatureError) {
        let read = try Certificates(pem: cut).count
        #expect(read == expected, "cut at \(end) of \(text.count)")
      } catch {
        #expect(expected == nil, "cut at \(end): \(error)")
      }
    }
  }

  @Test func whatOthersWriteIsRead() throws {
    let key = String(decoding: try tool.read("one.key"), as: UTF8.self)
    let text = try tool.run(["x509", "-in", "one.crt", "-text"]).text
    for (text, count) in [
      (one.replacing("\n", with: "\r\n") + two, 2), (one + "\n\n# a remark\n" + two, 2), (text + two, 2),
      (one + "=====\n----------------\n" + two, 2), (one.replacing("-----\n", with: "----- \t\n"), 1),
      (String(one.dropLast()), 1), (key + one, 1), (one + key, 1),
      (one.replacing("CERTIFICATE", with: "X509 CERTIFICATE"), 1),
    ] {
      let certificates = try Certificates(pem: Array(text.utf8))
      #expect(certificates.count == count, "\(text)")
      let hasKey = text.contains("PRIVATE KEY")
      #expect(certificates.keys.map(\.label) == (hasKey ? ["PRIVATE KEY"] : []))
    }
    for empty in ["", "\n", "a remark\n", key] {
      do throws(SignatureError) {
        _ = try Certificates(pem: Array(empty.utf8))
        Issue.record("read: \(empty)")
      } catch {
        guard case .noCertificate = error else {
          Issue.record("\(error)")
          continue
        }
      }
    }
  }

  /// What one call leaves in OpenSSL's queue of errors is no reason for the next.
  @Test func errorsAreOfTheCallThatFailed() throws {
    #expect(throws: SignatureError.self) { _ = try PrivateKey(pem: Array("-----BEGIN PRIVATE KEY-----\nAAAA\n".utf8)) }
    #expect(try Certificates(pem: Array(one.utf8)).count == 1)
    let refusal = #expect(throws: SignatureError.self) { _ = try Certificates(pem: Array(damaged(two)[0].text.utf8)) }
    guard case .damagedBlock(1, let reason)? = refusal else {
      Issue.record("\(String(describing: refusal))")
      return
    }
    #expect(reason == "bad base64 decode")
  }

  /// A key under a pass phrase asks nobody: it opens with the one that is given, and is refused by name.
  @Test func passPhrases() throws {
    for (name, form) in [("new", ["pkcs8", "-topk8"]), ("old", ["ec", "-aes128"])] {
      let made = try tool.run(form + ["-in", "one.key", "-out", "\(name).key", "-passout", "pass:right"])
      try #require(made.status == 0, "\(made.text)")
      let key = try tool.read("\(name).key")
      for (passphrase, isGiven) in [(nil, false), (Array("wrong".utf8), true), ([], true)] as [([UInt8]?, Bool)] {
        do throws(SignatureError) {
          _ = try PrivateKey(pem: key, name: "site.key", passphrase: passphrase)
          Issue.record("\(name) opens with \(String(describing: passphrase))")
        } catch {
          #expect(error == .passphrase(key: "site.key", isGiven: isGiven))
          #expect(error.diagnostic.message.contains("`site.key`"))
        }
      }
      let opened = try PrivateKey(pem: key, passphrase: Array("right".utf8))
      _ = try SignedMessage.sign(Array("text".utf8), certificate: Array(one.utf8), key: opened, form: .policy)
      let uri = "file:\(tool.directory)/\(name).key"
      _ = try PrivateKey(uri: uri, passphrase: Array("right".utf8))
      #expect(throws: SignatureError.passphrase(key: uri, isGiven: false)) { _ = try PrivateKey(uri: uri) }
    }
  }
}
