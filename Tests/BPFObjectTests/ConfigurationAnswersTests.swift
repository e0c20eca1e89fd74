import BPFTestSupport
import KernelABI
import BPFObject
import Base
import Testing

/// Values of `.kconfig` externs, as libbpf reads them.
@Suite struct ConfigurationAnswersTests {
  private static let text = """
    # CONFIG_UNSET is not set
    CONFIG_YES=y
    CONFIG_MODULE=m
    CONFIG_HZ=250
    CONFIG_MASK=0xff
    CONFIG_NEGATIVE=-1
    CONFIG_NAME="a name"
    CONFIG_EMPTY=""
    """

  private static func field(
    _ name: String, _ kind: ConfigurationField.Kind, _ size: Int, weak: Bool = false
  ) -> ConfigurationField {
    ConfigurationField(name: name, kind: kind, offset: 0, size: size, isWeak: weak)
  }

  @Test(
    arguments: [
      (field("CONFIG_YES", .bool, 1), [1]), (field("CONFIG_YES", .tristate, 4), [1, 0, 0, 0]),
      (field("CONFIG_MODULE", .tristate, 4), [2, 0, 0, 0]), (field("CONFIG_MODULE", .character, 1), [0x6d]),
      (field("CONFIG_HZ", .integer(isSigned: false), 2), [250, 0]),
      (field("CONFIG_HZ", .integer(isSigned: true), 8), [250, 0, 0, 0, 0, 0, 0, 0]),
      (field("CONFIG_MASK", .integer(isSigned: false), 4), [255, 0, 0, 0]),
      (field("CONFIG_NEGATIVE", .integer(isSigned: true), 2), [255, 255]),
      (field("CONFIG_NAME", .text, 8), [0x61, 0x20, 0x6e, 0x61, 0x6d, 0x65, 0, 0]),
      (field("CONFIG_NAME", .text, 3), [0x61, 0x20, 0]), (field("CONFIG_EMPTY", .text, 2), [0, 0]),
      (field("CONFIG_UNSET", .bool, 1, weak: true), [0]),
      (field("CONFIG_NOWHERE", .text, 4, weak: true), [0, 0, 0, 0]),
      (field("LINUX_KERNEL_VERSION", .integer(isSigned: true), 4), [4, 18, 6, 0]),
      (field("LINUX_HAS_BPF_COOKIE", .bool, 1), [1]),
    ] as [(ConfigurationField, [UInt8])])
  func values(_ field: ConfigurationField, _ expected: [UInt8]) throws {
    let kernel = try ConfigurationAnswers(
      release: "6.18.4-cloud-amd64", configuration: KernelConfiguration(Self.text))
    #expect(try kernel.value(of: [field]) == expected)
  }

  @Test(arguments: [
    field("CONFIG_UNSET", .bool, 1), field("CONFIG_MODULE", .bool, 1), field("CONFIG_YES", .integer(isSigned: true), 4),
    field("CONFIG_HZ", .bool, 1), field("CONFIG_HZ", .integer(isSigned: true), 1),
    field("CONFIG_NEGATIVE", .integer(isSigned: false), 4), field("CONFIG_NAME", .integer(isSigned: false), 8),
    field("CONFIG_HZ", .text, 8), field("LINUX_NO_SUCH_THING", .bool, 1),
  ])
  func misfits(_ field: ConfigurationField) throws {
    let kernel = try ConfigurationAnswers(release: "6.18.4", configuration: KernelConfiguration(Self.text))
    #expect(throws: BPFObjectError.self) { try kernel.value(of: [field]) }
  }

  @Test(
    arguments: [
      ("6.18.4", 0x06_1204), ("5.15.300-x", 0x05_0fff), ("6.1-rc2", 0x06_0100), ("7.0", 0x07_0000),
    ] as [(String, UInt64)])
  func versions(_ release: String, _ version: UInt64) throws {
    #expect(try ConfigurationAnswers(release: release, configuration: nil).release.code == version)
  }

  @Test(arguments: ["", "linux", "6", "999.1.1"])
  func noVersions(_ release: String) {
    #expect(throws: BPFObjectError.self) { try ConfigurationAnswers(release: release, configuration: nil) }
  }

  @Test func fieldsLieWhereTheObjectHasThem() throws {
    let bytes = try TestObject.bytes("externs", flags: ["-DKCONFIG"])
    let object = try BPFObject.link(bytes: bytes.rawSpan, allowsExterns: true)
    let value = try ConfigurationAnswers(release: "6.18.4", configuration: nil).value(of: object.configuration)
    let resolved = try object.resolving([], configuration: value)
    #expect(resolved.maps[object.configurationMap ?? 0].initialValue == [4, 18, 6, 0])
  }
}
