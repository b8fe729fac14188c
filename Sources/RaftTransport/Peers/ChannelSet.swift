import NIOCore

/// Channels in the order in which they were added, so that what is done with all of them is done in the same order in
/// each run.
struct ChannelSet {
  private var places: [ObjectIdentifier: UInt64] = [:]
  private var channels: [UInt64: any Channel] = [:]
  private var nextPlace: UInt64 = 0

  var count: Int { channels.count }

  var all: [any Channel] { channels.sorted { $0.key < $1.key }.map(\.value) }

  mutating func insert(_ channel: any Channel) {
    remove(ObjectIdentifier(channel))
    places[ObjectIdentifier(channel)] = nextPlace
    channels[nextPlace] = channel
    nextPlace += 1
  }

  mutating func remove(_ channel: ObjectIdentifier) {
    if let place = places.removeValue(forKey: channel) { channels[place] = nil }
  }
}
