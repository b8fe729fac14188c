extension ProbeFrame {
  package static func hello(_ hello: ProbeHello) -> ProbeFrame {
    ProbeFrame(type: FrameKind.hello, payload: hello.encoded)
  }

  package static func authentication(method: UInt8 = 0, proof: [UInt8] = []) -> ProbeFrame {
    ProbeFrame(type: FrameKind.authentication, payload: [method] + proof)
  }

  package static func welcome(
    _ code: UInt32 = 0, flags: UInt8 = 0, winner: [UInt8]? = nil, text: [UInt8] = []
  ) -> ProbeFrame {
    var payload = [UInt8].bigEndian(code)
    payload += [flags, winner == nil ? 0 : 1]
    payload += winner ?? []
    payload.append(integer: UInt16(text.count))
    return ProbeFrame(type: FrameKind.welcome, payload: payload + text)
  }

  package static func open(
    _ stream: UInt64, _ trafficClass: UInt8, encoding: UInt8 = 0, group: UInt64 = 0, _ bytes: [UInt8] = [],
    fin: Bool = false
  ) -> ProbeFrame {
    ProbeFrame(
      type: FrameKind.data, flags: DataFlag.open | (fin ? DataFlag.fin : 0), trafficClass: trafficClass,
      encoding: encoding, stream: stream, payload: .bigEndian(group) + bytes)
  }

  package static func data(
    _ stream: UInt64, _ bytes: [UInt8] = [], fin: Bool = false, more: Bool = false
  ) -> ProbeFrame {
    ProbeFrame(
      type: FrameKind.data, flags: (fin ? DataFlag.fin : 0) | (more ? DataFlag.more : 0), stream: stream,
      payload: bytes)
  }

  package static func credit(_ stream: UInt64, _ limit: UInt64) -> ProbeFrame {
    ProbeFrame(type: FrameKind.credit, stream: stream, payload: .bigEndian(limit))
  }

  package static func reset(_ stream: UInt64, _ code: UInt32) -> ProbeFrame {
    ProbeFrame(type: FrameKind.reset, stream: stream, payload: .bigEndian(code))
  }

  package static func stop(_ stream: UInt64, _ code: UInt32) -> ProbeFrame {
    ProbeFrame(type: FrameKind.stop, stream: stream, payload: .bigEndian(code))
  }

  package static func streams(_ trafficClass: UInt8, _ total: UInt64) -> ProbeFrame {
    ProbeFrame(type: FrameKind.streams, trafficClass: trafficClass, payload: .bigEndian(total))
  }

  package static func ping(_ number: UInt64) -> ProbeFrame {
    ProbeFrame(type: FrameKind.ping, payload: .bigEndian(number))
  }

  package static func pong(_ number: UInt64) -> ProbeFrame {
    ProbeFrame(type: FrameKind.pong, payload: .bigEndian(number))
  }

  package static func goAway(last: UInt64, _ code: UInt32, text: [UInt8] = []) -> ProbeFrame {
    var payload = [UInt8].bigEndian(last)
    payload.append(integer: code)
    payload.append(integer: UInt16(text.count))
    return ProbeFrame(type: FrameKind.goAway, payload: payload + text)
  }
}
