/// Why a test cannot go on. The testing library is not imported here: only test targets find it when everything is built
/// for release.
package struct Unexpected: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}
