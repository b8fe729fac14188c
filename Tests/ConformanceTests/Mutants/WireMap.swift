import ConformanceSuite

/// A message taken apart, so that a mutant can write it in another way.
struct WireMap {
  /// A request's type byte, or the header of an answer's empty error text.
  var front: UInt8
  /// The map's header; `nil` for the shortest.
  var header: [UInt8]?
  var fields: [(name: String, value: [UInt8])]
  /// What follows the message.
  var rest: [UInt8]

  init?(_ bytes: some Collection<UInt8>) {
    let bytes = Array(bytes)
    guard bytes.count > 2, bytes[1] & 0xF0 == 0x80 else { return nil }
    front = bytes[0]
    fields = []
    var place = 2
    for _ in 0..<bytes[1] & 0x0F {
      guard let value = Self.endOfValue(in: bytes, at: place), let end = Self.endOfValue(in: bytes, at: value)
      else {
        return nil
      }
      fields.append((String(decoding: bytes[(place + 1)..<value], as: UTF8.self), Array(bytes[value..<end])))
      place = end
    }
    rest = Array(bytes[place...])
  }

  var bytes: [UInt8] {
    [front] + (header ?? [0x80 | UInt8(fields.count)])
      + fields.flatMap { [0xA0 | UInt8($0.name.utf8.count)] + Array($0.name.utf8) + $0.value } + rest
  }

  subscript(_ name: String) -> [UInt8]? {
    get { fields.first { $0.name == name }?.value }
    set {
      guard let index = fields.firstIndex(where: { $0.name == name }) else { return }
      if let newValue { fields[index].value = newValue } else { fields.remove(at: index) }
    }
  }

  /// Where a value ends; `nil` if it is not whole.
  private static func endOfValue(in bytes: [UInt8], at start: Int) -> Int? {
    guard start < bytes.count else { return nil }
    func number(_ width: Int) -> Int? {
      guard start + 1 + width <= bytes.count else { return nil }
      return bytes[(start + 1)..<(start + 1 + width)].reduce(0) { $0 << 8 | Int($1) }
    }
    func behind(_ count: Int, _ from: Int) -> Int? {
      var place = from
      for _ in 0..<count {
        guard let next = endOfValue(in: bytes, at: place) else { return nil }
        place = next
      }
      return place
    }
    let lead = bytes[start]
    let end: Int?
    switch lead {
    case 0x80...0x8F: end = behind(2 * Int(lead & 0x0F), start + 1)
    case 0x90...0x9F: end = behind(Int(lead & 0x0F), start + 1)
    case 0xA0...0xBF: end = start + 1 + Int(lead & 0x1F)
    case 0xCC, 0xD0: end = start + 2
    case 0xCD, 0xD1: end = start + 3
    case 0xCE, 0xD2, 0xCA: end = start + 5
    case 0xCF, 0xD3, 0xCB: end = start + 9
    case 0xDA: end = number(2).map { start + 3 + $0 }
    case 0xDB: end = number(4).map { start + 5 + $0 }
    case 0xDC: end = number(2).flatMap { behind($0, start + 3) }
    default: end = start + 1
    }
    guard let end, end <= bytes.count else { return nil }
    return end
  }
}

extension Mutant {
  /// A peer that writes its messages in another way: a server its answers, a client its requests.
  static func writes(
    _ requirement: String, _ fault: String, as subject: Subject = .server,
    _ change: @escaping @Sendable (inout Memory, inout WireMap) -> Void
  ) -> Mutant {
    says(requirement, fault, as: subject) { memory, frame in
      guard frame.type == FrameKind.data, frame.isOpening == (subject == .client), frame.encoding == 0,
        !frame.streamBytes.isEmpty
      else { return nil }
      var bytes = Array(frame.payload.dropLast(frame.streamBytes.count))
      var rest = Array(frame.streamBytes)
      while var map = WireMap(rest) {
        (rest, map.rest) = (map.rest, [])
        change(&memory, &map)
        bytes += map.bytes
      }
      return [frame.with { $0.payload = bytes + rest }]
    }
  }
}
