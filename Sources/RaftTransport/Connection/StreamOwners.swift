import StreamMux

/// The owners of one connection's streams.
///
/// The slots of keys are small numbers that are used again, so an array finds what a dictionary would hash for, with
/// each frame.
struct StreamOwners {
  private struct Entry {
    let stream: StreamKey
    let owner: any StreamOwner
  }

  private var entries: [Entry?] = []

  subscript(stream: StreamKey) -> (any StreamOwner)? {
    get {
      let slot = Int(stream.slot)
      guard slot < entries.count, let entry = entries[slot], entry.stream == stream else { return nil }
      return entry.owner
    }
    set {
      let slot = Int(stream.slot)
      if let newValue {
        while entries.count <= slot { entries.append(nil) }
        entries[slot] = Entry(stream: stream, owner: newValue)
      } else if slot < entries.count, entries[slot]?.stream == stream {
        entries[slot] = nil
        if slot == entries.count - 1 { dropEmptyEnd() }
      }
    }
  }

  /// All of them, as they are now.
  var all: [(stream: StreamKey, owner: any StreamOwner)] {
    entries.compactMap { $0.map { ($0.stream, $0.owner) } }
  }

  mutating func removeAll() {
    entries = []
  }

  /// After a burst of streams, those who look at all owners must not walk over its traces for ever; its memory is given
  /// back, too, when most of it is of no use.
  private mutating func dropEmptyEnd() {
    while case .some(nil) = entries.last { entries.removeLast() }
    if entries.capacity > Self.keptCapacity, entries.count < entries.capacity / 4 {
      // An array made of an array shares its memory.
      var kept: [Entry?] = []
      kept.reserveCapacity(entries.count)
      kept.append(contentsOf: entries)
      entries = kept
    }
  }

  /// Entries whose memory is never given back.
  static let keptCapacity = 64

  /// How many entries there is memory for, for tests.
  var capacity: Int { entries.capacity }

  /// How many entries those walk over who look at all owners, for tests.
  var span: Int { entries.count }
}
