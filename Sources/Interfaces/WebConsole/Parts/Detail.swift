/// The top of one thing's own page: where it is, what it is called, its state, what can be done with it, and its sub-pages.
struct DetailHead: PageValue {
    /// The list that the thing is in.
    var list: Link
    var name: String
    /// A line below the name, such as the thing's description.
    var text: String?
    var state: Badge
    var menu: [MenuItem] = []
    /// Empty for a thing that has one page only.
    var pages: [SubPage] = []
}

/// One of the pages of a thing, as the navigation below its head has it.
struct SubPage: PageValue {
    let title: String
    let address: String
    let isCurrent: Bool
}
