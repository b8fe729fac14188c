/// A configuration that cannot be used: which field, what it holds and what it may hold.
package struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
  package let field: String
  package let value: String
  package let allowed: String

  package var description: String { "\(field) is \(value); allowed is \(allowed)" }

  /// - Throws: if `value` is outside `range`.
  static func check<Value: Comparable>(
    _ value: Value, _ field: String, in range: ClosedRange<Value>
  ) throws(ConfigurationError) {
    guard range.contains(value) else {
      throw ConfigurationError(
        field: field, value: "\(value)", allowed: "\(range.lowerBound) to \(range.upperBound)")
    }
  }
}
