// SPDX-License-Identifier: Apache-2.0
#include "console_files.h"

// Every file of the folders beside this one has its bytes here and a row in the table: scripts/check-messages compares.

static const unsigned char assets_console_css[] = {
#embed "assets/console.css"
};
static const unsigned char assets_console_js[] = {
#embed "assets/console.js"
};
static const unsigned char assets_icons_svg[] = {
#embed "assets/icons.svg"
};
static const unsigned char messages_common_messages[] = {
#embed "messages/common.messages"
};
static const unsigned char messages_instances_messages[] = {
#embed "messages/instances.messages"
};
static const unsigned char messages_snapshots_messages[] = {
#embed "messages/snapshots.messages"
};
static const unsigned char messages_templates_messages[] = {
#embed "messages/templates.messages"
};
static const unsigned char messages_volumes_messages[] = {
#embed "messages/volumes.messages"
};
static const unsigned char pages_badge_mustache[] = {
#embed "pages/badge.mustache"
};
static const unsigned char pages_columns_mustache[] = {
#embed "pages/columns.mustache"
};
static const unsigned char pages_empty_mustache[] = {
#embed "pages/empty.mustache"
};
static const unsigned char pages_failure_mustache[] = {
#embed "pages/failure.mustache"
};
static const unsigned char pages_field_mustache[] = {
#embed "pages/field.mustache"
};
static const unsigned char pages_home_mustache[] = {
#embed "pages/home.mustache"
};
static const unsigned char pages_layout_mustache[] = {
#embed "pages/layout.mustache"
};
static const unsigned char pages_menu_mustache[] = {
#embed "pages/menu.mustache"
};
static const unsigned char pages_pager_mustache[] = {
#embed "pages/pager.mustache"
};
static const unsigned char pages_search_mustache[] = {
#embed "pages/search.mustache"
};
static const unsigned char pages_sheet_body_mustache[] = {
#embed "pages/sheet-body.mustache"
};
static const unsigned char pages_sheet_mustache[] = {
#embed "pages/sheet.mustache"
};
static const unsigned char pages_sign_in_mustache[] = {
#embed "pages/sign-in.mustache"
};
static const unsigned char pages_snapshot_table_mustache[] = {
#embed "pages/snapshot-table.mustache"
};
static const unsigned char pages_snapshots_mustache[] = {
#embed "pages/snapshots.mustache"
};
static const unsigned char pages_take_snapshot_mustache[] = {
#embed "pages/take-snapshot.mustache"
};
static const unsigned char pages_undo_mustache[] = {
#embed "pages/undo.mustache"
};
static const unsigned char pages_volume_table_mustache[] = {
#embed "pages/volume-table.mustache"
};
static const unsigned char pages_volumes_mustache[] = {
#embed "pages/volumes.mustache"
};

static const struct console_file files[] = {
    {"assets/console.css", assets_console_css, sizeof assets_console_css},
    {"assets/console.js", assets_console_js, sizeof assets_console_js},
    {"assets/icons.svg", assets_icons_svg, sizeof assets_icons_svg},
    {"messages/common.messages", messages_common_messages, sizeof messages_common_messages},
    {"messages/instances.messages", messages_instances_messages, sizeof messages_instances_messages},
    {"messages/snapshots.messages", messages_snapshots_messages, sizeof messages_snapshots_messages},
    {"messages/templates.messages", messages_templates_messages, sizeof messages_templates_messages},
    {"messages/volumes.messages", messages_volumes_messages, sizeof messages_volumes_messages},
    {"pages/badge.mustache", pages_badge_mustache, sizeof pages_badge_mustache},
    {"pages/columns.mustache", pages_columns_mustache, sizeof pages_columns_mustache},
    {"pages/empty.mustache", pages_empty_mustache, sizeof pages_empty_mustache},
    {"pages/failure.mustache", pages_failure_mustache, sizeof pages_failure_mustache},
    {"pages/field.mustache", pages_field_mustache, sizeof pages_field_mustache},
    {"pages/home.mustache", pages_home_mustache, sizeof pages_home_mustache},
    {"pages/layout.mustache", pages_layout_mustache, sizeof pages_layout_mustache},
    {"pages/menu.mustache", pages_menu_mustache, sizeof pages_menu_mustache},
    {"pages/pager.mustache", pages_pager_mustache, sizeof pages_pager_mustache},
    {"pages/search.mustache", pages_search_mustache, sizeof pages_search_mustache},
    {"pages/sheet-body.mustache", pages_sheet_body_mustache, sizeof pages_sheet_body_mustache},
    {"pages/sheet.mustache", pages_sheet_mustache, sizeof pages_sheet_mustache},
    {"pages/sign-in.mustache", pages_sign_in_mustache, sizeof pages_sign_in_mustache},
    {"pages/snapshot-table.mustache", pages_snapshot_table_mustache, sizeof pages_snapshot_table_mustache},
    {"pages/snapshots.mustache", pages_snapshots_mustache, sizeof pages_snapshots_mustache},
    {"pages/take-snapshot.mustache", pages_take_snapshot_mustache, sizeof pages_take_snapshot_mustache},
    {"pages/undo.mustache", pages_undo_mustache, sizeof pages_undo_mustache},
    {"pages/volume-table.mustache", pages_volume_table_mustache, sizeof pages_volume_table_mustache},
    {"pages/volumes.mustache", pages_volumes_mustache, sizeof pages_volumes_mustache},
};

struct console_file console_file_at(size_t position) {
    const struct console_file none = {0};
    return position < sizeof files / sizeof *files ? files[position] : none;
}
