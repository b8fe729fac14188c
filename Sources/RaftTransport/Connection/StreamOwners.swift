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
}
