extension BadPreface: CustomStringConvertible {
  package var description: String {
    let bytes = firstBytes.map { String(hexadecimal($0).dropFirst(2)) }.joined(separator: " ")
    return switch appearance {
    case .tls: "the peer speaks TLS (\(bytes)); configure both ends with or both without it"
    case .http: "the peer speaks HTTP (\(bytes)); the address or the port is that of another service"
    case .classicRaft(let type):
      "the peer speaks the old Raft protocol, RPC type \(type) (\(bytes)); enable classic connections for it"
    case .damaged:
      "the preface arrived changed (\(bytes)); something between the peers translates text or strips bits"
    case .noise:
      "the peer speaks something else (\(bytes)); the address or the port is that of another service"
    }
  }
}
