/// What every page has around its own content.
struct Frame: PageValue {
    struct LanguageChoice: PageValue {
        let code: String
        let name: String
        let isCurrent: Bool
    }

    struct Tab: PageValue {
        let title: String
        let address: String
        let icon: String
        let isCurrent: Bool
    }

    struct EnvironmentChoice: PageValue {
        let name: String
        let address: String
        let isCurrent: Bool
    }

    /// What the last act did, said once.
    struct Notice: PageValue {
        let text: String
        let address: String?
        let link: String?
    }

    var title: String
    var language: String
    var languages: [LanguageChoice]
    /// Where the page is, so that a change of language comes back to it.
    var address: String
    var stylesheet: String
    var script: String
    var icons: String
    /// Nil for pages that come before signing in, as are the next four.
    var userName: String?
    var formToken: String?
    var environmentName: String?
    var roleName: String?
    var eventsAddress: String?
    var isAdministrator = false
    var environments: [EnvironmentChoice] = []
    var tabs: [Tab] = []
    var notice: Notice?
    /// Something on the page is on its way: without a script the page loads itself again.
    var isBusy = false
    /// The same by the command line and by the API.
    var commandLine: String?
    var apiCall: String?
    var requestID: String
}
