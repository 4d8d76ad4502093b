import SnapshotDomain

/// Where every layer of a pool lies and what it stands on: a value made of the lines and the notes.
struct PoolMap: Sendable {
    /// A frozen point or the head of a line.
    struct Place: Hashable, Sendable {
        var image: String
        /// Nil for the head.
        var point: Line.Point?
    }

    var lines: [String: Line] = [:] {
        didSet { cached = nil }
    }
    var notes = Notes() {
        didSet { cached = nil }
    }
    private var cached: Index?

    /// What is looked up, made once for each state.
    struct Index: Sendable {
        var places: [LayerID: Place] = [:]
        var parents: [LayerID: LayerID] = [:]
        var children: [LayerID: Set<LayerID>] = [:]
        /// The images that were cloned from an image, by that image.
        var clones: [String: [Line]] = [:]
    }

    mutating func index() -> Index {
        if let cached { return cached }
        var index = Index()
        for line in lines.values {
            for point in line.points where !notes.isHidden(point.id, of: line.image) {
                index.places[point.frozen] = Place(image: line.image, point: point)
            }
            if let layer = head(of: line) { index.places[layer] = Place(image: line.image, point: nil) }
            if let root = line.root { index.clones[root.image, default: []].append(line) }
        }
        for (layer, place) in index.places {
            guard let parent = parent(of: layer, at: place, index) else { continue }
            index.parents[layer] = parent
            index.children[parent, default: []].insert(layer)
        }
        cached = index
        return index
    }

    // MARK: Lines

    /// The layer that a line goes on with; nil when nobody needs it.
    func head(of line: Line) -> LayerID? {
        let newest = line.points.last
        if let note = validNote(of: line) { return note.layer }
        return newest?.next ?? line.first
    }

    /// What the notes say of a head, unless something froze since.
    func validNote(of line: Line) -> Notes.Head? {
        guard let note = notes.heads[line.image], note.newest >= line.points.last?.id ?? 0 else { return nil }
        return note
    }

    func visiblePoints(of line: Line) -> [Line.Point] {
        line.points.filter { !notes.isHidden($0.id, of: line.image) }
    }

    /// How many images an image reads through.
    func depth(of image: String) -> Int {
        var (depth, next) = (0, lines[image]?.root?.image)
        while let image = next, depth < 1_000 {
            depth += 1
            next = lines[image]?.root?.image
        }
        return depth
    }

    // MARK: Parents

    private func parent(of layer: LayerID, at place: Place, _ index: Index) -> LayerID? {
        if let noted = notes.parents[place.image]?[layer] {
            guard let parent = noted else { return nil }
            // A parent that is gone was removed behind our back; what lies below is the truth then.
            if index.places[parent] != nil { return parent }
        }
        return layerBelow(place)
    }

    /// The next layer that lies below a place, through what is hidden.
    func layerBelow(_ place: Place) -> LayerID? {
        guard var line = lines[place.image] else { return nil }
        var below = place.point.map { point in line.points.filter { $0.id < point.id } } ?? line.points
        var steps = 0
        while steps < 10_000 {
            if let point = below.last(where: { !notes.isHidden($0.id, of: line.image) }) { return point.frozen }
            guard let root = line.root, let next = lines[root.image],
                let point = next.points.first(where: { $0.name == root.snapshot })
            else { return nil }
            line = next
            below = next.points.filter { $0.id <= point.id }
            steps += 1
        }
        return nil
    }

    /// Notes what a layer stands on, unless that is what lies below it anyway.
    mutating func put(_ layer: LayerID, at place: Place, on parent: LayerID?) {
        if layerBelow(place) == parent {
            notes.parents[place.image]?[layer] = nil
            if notes.parents[place.image]?.isEmpty == true { notes.parents[place.image] = nil }
        } else {
            notes.parents[place.image, default: [:]][layer] = .some(parent)
        }
    }

    mutating func ancestors(of layer: LayerID) -> [LayerID] {
        let index = index()
        var (found, next) = ([LayerID](), index.parents[layer])
        while let id = next, !found.contains(id) {
            found.append(id)
            next = index.parents[id]
        }
        return found
    }

    // MARK: Who answers for bytes

    /// What lies between two points of a line, or a point and the head.
    struct Piece: Hashable, Sendable {
        var image: String
        /// Nil for the head.
        var point: Line.Point?
        /// The point before; nil for the beginning.
        var previous: Line.Point?
    }

    func pieces(of line: Line) -> [Piece] {
        var (pieces, previous) = ([Piece](), Line.Point?.none)
        for point in line.points {
            pieces.append(Piece(image: line.image, point: point, previous: previous))
            previous = point
        }
        return pieces + [Piece(image: line.image, point: nil, previous: previous)]
    }

    /// The layer in whose account a piece is: its own, or for what is hidden the layer that alone still needs it.
    mutating func owner(of piece: Piece) -> LayerID? {
        let index = index()
        return owner(of: piece, index, 0)
    }

    private func owner(of piece: Piece, _ index: Index, _ steps: Int) -> LayerID? {
        guard let line = lines[piece.image], steps < 1_000 else { return nil }
        let head = head(of: line)
        // A head that nobody needs comes after all points, and waits on the account of the layer below for being freed.
        let position = piece.point?.id ?? .max
        if let point = piece.point {
            guard notes.isHidden(point.id, of: line.image) else { return point.frozen }
            if let above = visiblePoints(of: line).first(where: { $0.id > position }) { return above.frozen }
        }
        if let head { return head }
        if piece.point == nil, let below = visiblePoints(of: line).last { return below.frozen }
        let clones = (index.clones[line.image] ?? []).sorted { $0.image < $1.image }.filter { clone in
            line.points.contains { $0.name == clone.root?.snapshot && (piece.point == nil || $0.id >= position) }
        }
        for clone in clones {
            guard let lowest = pieces(of: clone).first else { continue }
            if let owner = owner(of: lowest, index, steps + 1) { return owner }
        }
        return visiblePoints(of: line).last { $0.id < position }?.frozen
    }

    /// Everything that is in a layer's account.
    mutating func pieces(inAccountOf layer: LayerID) -> [Piece] {
        let index = index()
        guard let place = index.places[layer], let line = lines[place.image] else { return [] }
        var candidates = pieces(of: line)
        // Hidden points elsewhere: few, and gone when nobody needs them.
        for image in notes.hidden.keys where image != line.image {
            guard let other = lines[image] else { continue }
            candidates += pieces(of: other).filter { piece in
                piece.point.map { notes.isHidden($0.id, of: image) } ?? (head(of: other) == nil)
            }
        }
        return candidates.filter { owner(of: $0, index, 0) == layer }
    }
}
