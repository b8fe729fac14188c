/// The streams of a connection: by key for the owner's calls, by id for the peer's frames.
struct StreamTable: Sendable {
  private struct Slot: Sendable {
    var generation: UInt32
    var isLive: Bool
    /// Meaningless while the slot is free; kept non-optional so that a stream is changed in place.
    var stream: Stream
  }

  private var slots: [Slot] = []
  private var freeSlots: [UInt32] = []
  private var keysByID: [UInt64: StreamKey] = [:]
  private(set) var count = 0

  init() {}

  func contains(_ key: StreamKey) -> Bool {
    let index = Int(key.slot)
    return index < slots.count && slots[index].isLive && slots[index].generation == key.generation
  }

  /// Whether the stream of the key, if there still is one, waits for stream credit or memory.
  func isWaiting(_ key: StreamKey) -> Bool { contains(key) && self[key].isPending }

  /// The stream that the peer calls `id`; nil if it was never opened or is forgotten.
  func key(ofID id: UInt64) -> StreamKey? { keysByID[id] }

  /// The stream of a key that `contains` confirmed, changed in place.
  subscript(key: StreamKey) -> Stream {
    // Not `_read`: this compiler reads the fields of a large value after the accessor has ended, as the address sanitizer
    // shows. Optimised code copies no more of the stream than what is asked for.
    @inline(__always)
    get {
      precondition(contains(key), "a stale key")
      return slots[Int(key.slot)].stream
    }
    _modify {
      precondition(contains(key), "a stale key")
      yield &slots[Int(key.slot)].stream
    }
  }

  mutating func insert(_ make: (StreamKey) -> Stream) -> StreamKey {
    let key: StreamKey
    let stream: Stream
    if let free = freeSlots.popLast() {
      key = StreamKey(slot: free, generation: slots[Int(free)].generation)
      stream = make(key)
      slots[Int(free)].stream = stream
      slots[Int(free)].isLive = true
    } else {
      key = StreamKey(slot: UInt32(slots.count), generation: 0)
      stream = make(key)
      slots.append(Slot(generation: 0, isLive: true, stream: stream))
    }
    count += 1
    if stream.id != 0 { keysByID[stream.id] = key }
    return key
  }

  /// The OPEN of an own stream was framed.
  mutating func assign(_ id: UInt64, to key: StreamKey) {
    precondition(self[key].id == 0 && keysByID[id] == nil)
    self[key].id = id
    keysByID[id] = key
  }

  mutating func remove(_ key: StreamKey) {
    let id = self[key].id
    if id != 0 { keysByID[id] = nil }
    self[key].queue.drop()
    slots[Int(key.slot)].isLive = false
    slots[Int(key.slot)].generation &+= 1
    freeSlots.append(key.slot)
    count -= 1
  }

  /// All live streams in the order of their slots.
  var keys: [StreamKey] {
    slots.compactMap { $0.isLive ? $0.stream.key : nil }
  }

  /// Some live stream, depending on `chance`; nil if the slot that it points to is free.
  func sample(_ chance: UInt64) -> StreamKey? {
    guard !slots.isEmpty else { return nil }
    let slot = slots[Int(chance % UInt64(slots.count))]
    return slot.isLive ? slot.stream.key : nil
  }
}
