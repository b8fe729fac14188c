/// The name of a server in a certificate: the URI `rmux://CLUSTER/SERVER` (R-SEC-12).
///
/// Both parts are percent-encoded UTF-8, so that they may hold any bytes; what stands for a part decides, not how it
/// was encoded.
package struct CertificateName: Hashable, Sendable {
  package let clusterID: String
  package let serverID: String

  private static let scheme = "rmux://"

  package init(clusterID: String, serverID: String) {
    self.clusterID = clusterID
    self.serverID = serverID
  }

  /// Whether a URI has the scheme of such names, well-formed or not.
  package static func isMeant(by uri: String) -> Bool {
    uri.lowercased().hasPrefix(scheme)
  }

  /// - Returns: `nil` unless the URI has exactly this form.
  package init?(uri: String) {
    guard uri.hasPrefix(Self.scheme) else { return nil }
    let parts = uri.utf8.dropFirst(Self.scheme.utf8.count)
      .split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard parts.count == 2, let clusterID = Self.decoded(parts[0]), let serverID = Self.decoded(parts[1])
    else { return nil }
    self.init(clusterID: clusterID, serverID: serverID)
  }

  /// The URI, with everything but the unreserved characters of RFC 3986 encoded.
  package var uri: String {
    "\(Self.scheme)\(Self.encoded(clusterID))/\(Self.encoded(serverID))"
  }

  private static func encoded(_ part: String) -> String {
    var text = ""
    for byte in part.utf8 {
      if isUnreserved(byte) {
        text.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        text += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
      }
    }
    return text
  }

  private static func decoded(_ part: Substring.UTF8View) -> String? {
    var bytes: [UInt8] = []
    var rest = part
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%") {
        guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
          return nil
        }
        bytes.append(high << 4 | low)
      } else if isUnreserved(byte) {
        bytes.append(byte)
      } else {
        return nil
      }
    }
    guard !bytes.isEmpty else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt8.init)
  }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "~"):
      true
    default:
      false
    }
  }

  /// Swift's own equality takes two spellings of one character for the same; an identity must not.
  package static func == (left: CertificateName, right: CertificateName) -> Bool {
    left.uri.utf8.elementsEqual(right.uri.utf8)
  }

  package func hash(into hasher: inout Hasher) {
    for byte in uri.utf8 { hasher.combine(byte) }
  }
}
