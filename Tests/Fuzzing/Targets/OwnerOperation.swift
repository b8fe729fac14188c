import NIOCore
import StreamMux

/// What the owner of a connection does with a stream, chosen by the input.
struct OwnerOperation {
  static let count: UInt8 = 10

  /// Performs one operation, in the way that owners are allowed to: it never consumes what did not come.
  static func perform(
    _ choice: UInt8, _ input: inout FuzzInput, on connection: inout MuxConnection, _ watch: inout EventWatch,
    now: NIODeadline, payload: (StreamKey, EventWatch.End, Int) -> ByteBuffer
  ) throws {
    if choice == 0 { return try open(&input, on: &connection, &watch, now: now) }
    // Streams that were let go, too: calls with stale keys are races that every owner has.
    let recent = watch.keys.suffix(24)
    guard !recent.isEmpty else { return }
    let key = recent[recent.startIndex + Int(input.choice()) % recent.count]
    guard let end = watch.ends[key] else { return }
    switch choice {
    case 1, 2:
      guard !end.hasFinished, !end.isReleased, !end.hasEndedSending else { break }
      let bytes = payload(key, end, input.length(upTo: 65_536))
      connection.write(bytes, to: key)
      watch.ends[key]?.written += UInt64(bytes.readableBytes)
    case 3:
      connection.finish(key)
      if !end.isReleased && !end.hasEndedSending { watch.ends[key]?.hasFinished = true }
    case 4:
      // The peer never hears of a stream that is reset before its OPEN went out, so nothing comes from there either.
      if !connection.hasReachedWire(key) { watch.ends[key]?.hasEndedReceiving = true }
      connection.reset(key, code: .cancelled)
      watch.ends[key]?.hasEndedSending = true
    case 5:
      connection.stop(key, code: .notNeeded)
      watch.ends[key]?.hasEndedReceiving = true
    case 6:
      connection.release(key)
      watch.ends[key]?.isReleased = true
    case 7:
      connection.setLowWater(1 + input.length(upTo: 65_536), of: key)
    case 8:
      let count = min(end.unconsumed - end.absorbed, input.length(upTo: 65_536))
      guard count > 0 else { break }
      connection.absorb(count, of: key)
      watch.ends[key]?.absorbed += count
    default:
      consume(key, end, upTo: input.length(upTo: 65_536), wholeMessage: input.flag(), on: &connection, &watch)
    }
  }

  static func consume(
    _ key: StreamKey, _ end: EventWatch.End, upTo limit: Int, wholeMessage: Bool,
    on connection: inout MuxConnection, _ watch: inout EventWatch
  ) {
    if wholeMessage {
      connection.assembled(key)
      watch.ends[key]?.absorbed = 0
    }
    let count = min(limit, end.unconsumed - (wholeMessage ? 0 : end.absorbed))
    guard count > 0 else { return }
    connection.consume(count, of: key)
    watch.ends[key]?.unconsumed -= count
  }

  private static func open(
    _ input: inout FuzzInput, on connection: inout MuxConnection, _ watch: inout EventWatch, now: NIODeadline
  ) throws {
    let trafficClass = input.pick(TrafficClass.allCases)
    let encoding: StreamEncoding = trafficClass == .snapshot && input.flag() ? .chunked : .plain
    let opening = StreamOpening(
      trafficClass: trafficClass, encoding: encoding, group: UInt64(watch.keys.count))
    let key: StreamKey
    do throws(OpenError) {
      key = try connection.open(opening, now: now)
    } catch {
      return try require(error != .closed || watch.closure != nil, "closed, though nobody said so")
    }
    try watch.opened(key, opening)
  }
}
