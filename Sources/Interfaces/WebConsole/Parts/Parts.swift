import Foundation

/// A line of a thing's menu *Action*: each leads to a page that says what will happen, and nothing happens before.
struct MenuItem: PageValue {
    let title: String
    let address: String
    let icon: String
    /// Opens over the page where scripts run.
    var isDialog = true
    var isDanger = false
}

/// An instant for people and for machines.
struct Moment: PageValue {
    let text: String
    let machine: String

    init(_ date: Date, _ visit: Visit) {
        text = visit.formats.instant(date)
        machine = visit.formats.machineInstant(date)
    }
}

/// A name that leads somewhere.
struct Link: PageValue {
    let text: String
    let address: String

    init(_ text: some CustomStringConvertible, _ address: String) {
        self.text = text.description
        self.address = address
    }
}

/// A labelled fact, with or without a link.
struct Fact: PageValue {
    let label: String
    let text: String
    let address: String?
    /// Instead of the text, which it is too.
    let moment: Moment?

    init(_ label: String, _ text: some CustomStringConvertible, at address: String? = nil) {
        self.label = label
        self.text = text.description
        self.address = address
        moment = nil
    }

    init(_ label: String, _ moment: Moment) {
        self.label = label
        self.moment = moment
        text = moment.text
        address = nil
    }
}

/// What a list says when there is nothing in it.
struct EmptyState: PageValue {
    let icon: String
    let title: String
    let text: String
    /// What to do about it, if the visitor may.
    let action: Link?
}

extension EmptyState {
    /// The same, or that nothing was found where the list is filtered; nil for a list that has rows.
    func shown(for controls: ListControls, isEmpty: Bool, _ texts: Texts) -> EmptyState? {
        guard isEmpty else { return nil }
        guard controls.isFiltered else { return self }
        return EmptyState(
            icon: icon,
            title: texts("list.nothing_found"),
            text: texts("list.nothing_found_text"),
            action: nil
        )
    }
}
