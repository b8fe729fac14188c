import NIOCore

/// Channels in the order in which they were added, so that what is done with all of them is done in the same order in
/// each run.
struct ChannelSet {
  private var places: [ObjectIdentifier: UInt64] = [:]
  private var entries: [UInt64: (channel: any Channel, source: String?)] = [:]
  private var nextPlace: UInt64 = 0

  var count: Int { entries.count }

  var all: [any Channel] { entries.sorted { $0.key < $1.key }.map(\.value.channel) }

  var first: (any Channel)? { entries.min { $0.key < $1.key }?.value.channel }

  /// How many come from an address.
  func count(from source: String?) -> Int {
    entries.values.count { $0.source == source }
  }

  /// - Parameter source: The address from where it comes.
  mutating func insert(_ channel: any Channel, source: String? = nil) {
    remove(ObjectIdentifier(channel))
    places[ObjectIdentifier(channel)] = nextPlace
    entries[nextPlace] = (channel, source)
    nextPlace += 1
  }

  mutating func remove(_ channel: ObjectIdentifier) {
    if let place = places.removeValue(forKey: channel) { entries[place] = nil }
  }
}
