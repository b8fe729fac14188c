import DequeModule

/// Those who wait for something, in the order in which they came, each once.
///
/// Only the first is called, and not again before it has asked. A plain value.
struct WaitingLine<Element: Hashable> {
  private var places: [Element: UInt64] = [:]
  /// In the order of the places. Those who have left may still stand here, until they would be the first or the
  /// greater part.
  private var line = Deque<(place: UInt64, element: Element)>()
  private var nextPlace: UInt64 = 0
  private var firstIsCalled = false

  var count: Int { places.count }

  /// How many elements are kept, those that have left among them; for tests.
  var keptCount: Int { line.count }

  /// Puts somebody at the end of the line who does not stand in it.
  mutating func enter(_ element: Element) {
    guard places[element] == nil else { return }
    places[element] = nextPlace
    line.append((nextPlace, element))
    nextPlace += 1
  }

  /// Lets somebody go, wherever in the line it stands.
  ///
  /// - Returns: Whether it stood there.
  mutating func leave(_ element: Element) -> Bool {
    guard let place = places.removeValue(forKey: element) else { return false }
    if line.first?.place == place { firstIsCalled = false }
    while let first = line.first, places[first.element] != first.place { line.removeFirst() }
    // Somebody who comes and goes all the time must not make the line long behind one who waits.
    if line.count > 2 * places.count + 16 { line.removeAll { places[$0.element] != $0.place } }
    return true
  }

  /// Whether it is somebody's turn, who asks and so has heard its call.
  mutating func isTurn(of element: Element) -> Bool {
    guard let first = line.first else { return true }
    guard first.element == element else { return false }
    firstIsCalled = false
    return true
  }

  /// The first one, to be called; `nil` if it was called already.
  mutating func callFirst() -> Element? {
    guard !firstIsCalled, let first = line.first else { return nil }
    firstIsCalled = true
    return first.element
  }
}
