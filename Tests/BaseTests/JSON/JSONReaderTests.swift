import Base
import Testing

@Suite struct JSONReaderTests {
  static func parse(_ text: String, _ limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
    try JSONValue.parse(Array(text.utf8), limits: limits)
  }

  @Test(arguments: [
    ("null", JSONValue.null), (" true\n", .bool(true)), ("false", .bool(false)), ("0", .integer(0)),
    ("-0", .number("-0")), ("-12", .integer(-12)), ("9223372036854775807", .integer(.max)),
    ("9223372036854775808", .number("9223372036854775808")), ("1.50", .number("1.50")), ("1e9", .number("1e9")),
    ("-0.1E-2", .number("-0.1E-2")), (#""""#, .string("")),
    (#""a\"\\\/\b\f\n\r\tz""#, .string("a\"\\/\u{8}\u{c}\n\r\tz")),
    (#""\u00e9\ud83d\ude00\u0000""#, .string("é😀\0")), (#""é😀""#, .string("é😀")),
    ("[]", .array([])), ("[ 1 ,[ ] , 2 ]", .array([.integer(1), .array([]), .integer(2)])), ("{}", .object([])),
    (
      #"{ "b" : 1 , "a" : { "c" : null } }"#,
      .object([.init("b", .integer(1)), .init("a", .object([.init("c", .null)]))])
    ),
  ])
  func reads(text: String, value: JSONValue) throws {
    #expect(try Self.parse(text) == value)
    #expect(try JSONValue.parse(Array(value.compact.utf8)) == value)
    #expect(try JSONValue.parse(Array(value.pretty.utf8)) == value)
  }

  @Test(arguments: [
    "", " ", "nul", "nullx", "tru", "True", "01", "-", "-01", "+1", ".5", "1.", "1e", "1e+", "0x1", "NaN", "Infinity",
    "\"", "\"a", #""\"#, #""\x""#, #""\u12""#, #""\u12g4""#, #""\ud800""#, #""\ud800x""#, #""\ud800\n""#,
    #""\ud800\u0041""#, #""\udc00""#, "\"\n\"", "\"\t\"", "\"\0\"", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "]", "{",
    "{1:2}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{"a":1 "b":2}"#, #"{"a":1"#, "{}{}", "1 2", "[]x", "\u{feff}1",
    "'a'",
    "// c\n1", "\u{a0}1", #"{"a":1,"b":2,"a":3}"#, #"{"a":1,"\u0061":2}"#, #"{"\u00e9":1,"e\u0301":2}"#,
  ])
  func refuses(text: String) {
    #expect(throws: JSONError.self) { try Self.parse(text) }
  }

  /// Every proper prefix of a document that ends in a bracket is incomplete, and no cut may trap.
  @Test func refusesEveryPrefix() throws {
    let text = Array(#"{"a":[1,-2.5e+3,"x\u00e9\ud83d\ude00",true,false,null],"b":{"c":[[],{}]}}"#.utf8)
    #expect(throws: Never.self) { try JSONValue.parse(text) }
    for length in 0..<text.count {
      #expect(throws: JSONError.self) { try JSONValue.parse(Array(text[..<length])) }
    }
  }

  /// Whatever one byte becomes, the reader ends; where it still accepts, writing and reading again gives the same value.
  @Test func survivesEveryByteChange() throws {
    let text = Array(#"{"a":[1,"x\u00e9",true,null],"b":-2.5e+3}"#.utf8)
    var refused = 0
    for index in text.indices {
      for byte in UInt8.min...UInt8.max {
        var changed = text
        changed[index] = byte
        do throws(JSONError) {
          let value = try JSONValue.parse(changed)
          #expect(try JSONValue.parse(Array(value.compact.utf8)) == value)
        } catch {
          refused += 1
        }
      }
    }
    #expect(refused > 5000)
  }

  @Test(arguments: [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]] as [[UInt8]])
  func refusesBytesThatAreNotUTF8(bytes: [UInt8]) {
    let error = #expect(throws: JSONError.self) { try JSONValue.parse([0x22] + bytes + [0x22]) }
    #expect(error?.reason == .notUTF8)
  }

  /// What is written can be shown on any terminal.
  @Test func escapesWhatATerminalWouldActOn() throws {
    let value = JSONValue.string("a\u{1b}[2J\u{7f}\u{9b}31m\u{202e}\u{2066}é\u{a0}\n")
    #expect(value.compact == #""a\u001b[2J\u007f\u009b31m\u202e\u2066é\#u{a0}\n""#)
    #expect(try JSONValue.parse(Array(value.compact.utf8)) == value)
  }

  @Test func namesThePlace() {
    let error = #expect(throws: JSONError.self) { try Self.parse("{\n  \"a\": 1,\n  \"a\": 2\n}") }
    #expect(error?.line == 3 && error?.column == 3 && error?.offset == 14)
    #expect(error?.reason == .duplicateName("a"))
    #expect(error?.description == "3:3: the object has two members named `a`")
    #expect(error?.diagnostic.category == .invalid)
  }

  @Test func boundsDepthWithoutTouchingTheStack() throws {
    let bomb = String(repeating: "[", count: 1_000_000)
    let error = #expect(throws: JSONError.self) { try Self.parse(bomb, JSONLimits(depth: .max)) }
    #expect(error?.reason == .tooLarge(limit: "256 levels") && error?.column == 257)
    let deep = String(repeating: "[", count: 8) + String(repeating: "]", count: 8)
    #expect(throws: Never.self) { try Self.parse(deep, JSONLimits(depth: 8)) }
    #expect(throws: JSONError.self) { try Self.parse(deep, JSONLimits(depth: 7)) }
  }

  @Test func boundsSize() throws {
    #expect(throws: Never.self) { try Self.parse("[1,2,3]", JSONLimits(values: 4)) }
    #expect(throws: JSONError.self) { try Self.parse("[1,2,3]", JSONLimits(values: 3)) }
    #expect(throws: Never.self) { try Self.parse("[1,2,3]", JSONLimits(bytes: 7)) }
    #expect(throws: JSONError.self) { try Self.parse("[1,2,3]", JSONLimits(bytes: 6)) }
  }
}
