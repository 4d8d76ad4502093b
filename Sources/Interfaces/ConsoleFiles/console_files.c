// SPDX-License-Identifier: Apache-2.0
// Made by scripts/check-console-files --write from the folders beside this file.
#include "console_files.h"

static const unsigned char assets_console_css[] = {
#embed "assets/console.css"
};
static const unsigned char assets_console_js[] = {
#embed "assets/console.js"
};
static const unsigned char assets_icons_svg[] = {
#embed "assets/icons.svg"
};
static const unsigned char messages_activity_messages[] = {
#embed "messages/activity.messages"
};
static const unsigned char messages_common_messages[] = {
#embed "messages/common.messages"
};
static const unsigned char messages_dashboard_messages[] = {
#embed "messages/dashboard.messages"
};
static const unsigned char messages_history_messages[] = {
#embed "messages/history.messages"
};
static const unsigned char messages_instances_messages[] = {
#embed "messages/instances.messages"
};
static const unsigned char messages_members_messages[] = {
#embed "messages/members.messages"
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
static const unsigned char pages_entrance_failure_mustache[] = {
#embed "pages/entrance/failure.mustache"
};
static const unsigned char pages_entrance_home_mustache[] = {
#embed "pages/entrance/home.mustache"
};
static const unsigned char pages_entrance_sign_in_mustache[] = {
#embed "pages/entrance/sign-in.mustache"
};
static const unsigned char pages_instances_create_instance_nothing_mustache[] = {
#embed "pages/instances/create-instance-nothing.mustache"
};
static const unsigned char pages_instances_create_instance_mustache[] = {
#embed "pages/instances/create-instance.mustache"
};
static const unsigned char pages_instances_instance_console_mustache[] = {
#embed "pages/instances/instance-console.mustache"
};
static const unsigned char pages_instances_instance_screen_mustache[] = {
#embed "pages/instances/instance-screen.mustache"
};
static const unsigned char pages_instances_instance_snapshots_mustache[] = {
#embed "pages/instances/instance-snapshots.mustache"
};
static const unsigned char pages_instances_instance_volumes_mustache[] = {
#embed "pages/instances/instance-volumes.mustache"
};
static const unsigned char pages_instances_instance_mustache[] = {
#embed "pages/instances/instance.mustache"
};
static const unsigned char pages_instances_instances_mustache[] = {
#embed "pages/instances/instances.mustache"
};
static const unsigned char pages_overview_activity_mustache[] = {
#embed "pages/overview/activity.mustache"
};
static const unsigned char pages_overview_dashboard_mustache[] = {
#embed "pages/overview/dashboard.mustache"
};
static const unsigned char pages_parts_badge_mustache[] = {
#embed "pages/parts/badge.mustache"
};
static const unsigned char pages_parts_chips_mustache[] = {
#embed "pages/parts/chips.mustache"
};
static const unsigned char pages_parts_columns_mustache[] = {
#embed "pages/parts/columns.mustache"
};
static const unsigned char pages_parts_consistency_mustache[] = {
#embed "pages/parts/consistency.mustache"
};
static const unsigned char pages_parts_detail_head_mustache[] = {
#embed "pages/parts/detail-head.mustache"
};
static const unsigned char pages_parts_empty_mustache[] = {
#embed "pages/parts/empty.mustache"
};
static const unsigned char pages_parts_facts_mustache[] = {
#embed "pages/parts/facts.mustache"
};
static const unsigned char pages_parts_field_mustache[] = {
#embed "pages/parts/field.mustache"
};
static const unsigned char pages_parts_history_tree_mustache[] = {
#embed "pages/parts/history-tree.mustache"
};
static const unsigned char pages_parts_layout_mustache[] = {
#embed "pages/parts/layout.mustache"
};
static const unsigned char pages_parts_menu_mustache[] = {
#embed "pages/parts/menu.mustache"
};
static const unsigned char pages_parts_pager_mustache[] = {
#embed "pages/parts/pager.mustache"
};
static const unsigned char pages_parts_search_mustache[] = {
#embed "pages/parts/search.mustache"
};
static const unsigned char pages_parts_sheet_body_mustache[] = {
#embed "pages/parts/sheet-body.mustache"
};
static const unsigned char pages_parts_sheet_mustache[] = {
#embed "pages/parts/sheet.mustache"
};
static const unsigned char pages_parts_undo_mustache[] = {
#embed "pages/parts/undo.mustache"
};
static const unsigned char pages_people_key_table_mustache[] = {
#embed "pages/people/key-table.mustache"
};
static const unsigned char pages_people_members_mustache[] = {
#embed "pages/people/members.mustache"
};
static const unsigned char pages_people_person_mustache[] = {
#embed "pages/people/person.mustache"
};
static const unsigned char pages_people_secret_mustache[] = {
#embed "pages/people/secret.mustache"
};
static const unsigned char pages_people_users_mustache[] = {
#embed "pages/people/users.mustache"
};
static const unsigned char pages_snapshots_snapshot_table_mustache[] = {
#embed "pages/snapshots/snapshot-table.mustache"
};
static const unsigned char pages_snapshots_snapshot_mustache[] = {
#embed "pages/snapshots/snapshot.mustache"
};
static const unsigned char pages_snapshots_snapshots_mustache[] = {
#embed "pages/snapshots/snapshots.mustache"
};
static const unsigned char pages_snapshots_take_snapshot_mustache[] = {
#embed "pages/snapshots/take-snapshot.mustache"
};
static const unsigned char pages_templates_template_table_mustache[] = {
#embed "pages/templates/template-table.mustache"
};
static const unsigned char pages_templates_template_mustache[] = {
#embed "pages/templates/template.mustache"
};
static const unsigned char pages_templates_templates_mustache[] = {
#embed "pages/templates/templates.mustache"
};
static const unsigned char pages_volumes_volume_table_mustache[] = {
#embed "pages/volumes/volume-table.mustache"
};
static const unsigned char pages_volumes_volume_mustache[] = {
#embed "pages/volumes/volume.mustache"
};
static const unsigned char pages_volumes_volumes_mustache[] = {
#embed "pages/volumes/volumes.mustache"
};

static const struct console_file files[] = {
    {"assets/console.css", assets_console_css, sizeof assets_console_css},
    {"assets/console.js", assets_console_js, sizeof assets_console_js},
    {"assets/icons.svg", assets_icons_svg, sizeof assets_icons_svg},
    {"messages/activity.messages", messages_activity_messages, sizeof messages_activity_messages},
    {"messages/common.messages", messages_common_messages, sizeof messages_common_messages},
    {"messages/dashboard.messages", messages_dashboard_messages, sizeof messages_dashboard_messages},
    {"messages/history.messages", messages_history_messages, sizeof messages_history_messages},
    {"messages/instances.messages", messages_instances_messages, sizeof messages_instances_messages},
    {"messages/members.messages", messages_members_messages, sizeof messages_members_messages},
    {"messages/snapshots.messages", messages_snapshots_messages, sizeof messages_snapshots_messages},
    {"messages/templates.messages", messages_templates_messages, sizeof messages_templates_messages},
    {"messages/volumes.messages", messages_volumes_messages, sizeof messages_volumes_messages},
    {"pages/entrance/failure.mustache", pages_entrance_failure_mustache, sizeof pages_entrance_failure_mustache},
    {"pages/entrance/home.mustache", pages_entrance_home_mustache, sizeof pages_entrance_home_mustache},
    {"pages/entrance/sign-in.mustache", pages_entrance_sign_in_mustache, sizeof pages_entrance_sign_in_mustache},
    {"pages/instances/create-instance-nothing.mustache", pages_instances_create_instance_nothing_mustache, sizeof pages_instances_create_instance_nothing_mustache},
    {"pages/instances/create-instance.mustache", pages_instances_create_instance_mustache, sizeof pages_instances_create_instance_mustache},
    {"pages/instances/instance-console.mustache", pages_instances_instance_console_mustache, sizeof pages_instances_instance_console_mustache},
    {"pages/instances/instance-screen.mustache", pages_instances_instance_screen_mustache, sizeof pages_instances_instance_screen_mustache},
    {"pages/instances/instance-snapshots.mustache", pages_instances_instance_snapshots_mustache, sizeof pages_instances_instance_snapshots_mustache},
    {"pages/instances/instance-volumes.mustache", pages_instances_instance_volumes_mustache, sizeof pages_instances_instance_volumes_mustache},
    {"pages/instances/instance.mustache", pages_instances_instance_mustache, sizeof pages_instances_instance_mustache},
    {"pages/instances/instances.mustache", pages_instances_instances_mustache, sizeof pages_instances_instances_mustache},
    {"pages/overview/activity.mustache", pages_overview_activity_mustache, sizeof pages_overview_activity_mustache},
    {"pages/overview/dashboard.mustache", pages_overview_dashboard_mustache, sizeof pages_overview_dashboard_mustache},
    {"pages/parts/badge.mustache", pages_parts_badge_mustache, sizeof pages_parts_badge_mustache},
    {"pages/parts/chips.mustache", pages_parts_chips_mustache, sizeof pages_parts_chips_mustache},
    {"pages/parts/columns.mustache", pages_parts_columns_mustache, sizeof pages_parts_columns_mustache},
    {"pages/parts/consistency.mustache", pages_parts_consistency_mustache, sizeof pages_parts_consistency_mustache},
    {"pages/parts/detail-head.mustache", pages_parts_detail_head_mustache, sizeof pages_parts_detail_head_mustache},
    {"pages/parts/empty.mustache", pages_parts_empty_mustache, sizeof pages_parts_empty_mustache},
    {"pages/parts/facts.mustache", pages_parts_facts_mustache, sizeof pages_parts_facts_mustache},
    {"pages/parts/field.mustache", pages_parts_field_mustache, sizeof pages_parts_field_mustache},
    {"pages/parts/history-tree.mustache", pages_parts_history_tree_mustache, sizeof pages_parts_history_tree_mustache},
    {"pages/parts/layout.mustache", pages_parts_layout_mustache, sizeof pages_parts_layout_mustache},
    {"pages/parts/menu.mustache", pages_parts_menu_mustache, sizeof pages_parts_menu_mustache},
    {"pages/parts/pager.mustache", pages_parts_pager_mustache, sizeof pages_parts_pager_mustache},
    {"pages/parts/search.mustache", pages_parts_search_mustache, sizeof pages_parts_search_mustache},
    {"pages/parts/sheet-body.mustache", pages_parts_sheet_body_mustache, sizeof pages_parts_sheet_body_mustache},
    {"pages/parts/sheet.mustache", pages_parts_sheet_mustache, sizeof pages_parts_sheet_mustache},
    {"pages/parts/undo.mustache", pages_parts_undo_mustache, sizeof pages_parts_undo_mustache},
    {"pages/people/key-table.mustache", pages_people_key_table_mustache, sizeof pages_people_key_table_mustache},
    {"pages/people/members.mustache", pages_people_members_mustache, sizeof pages_people_members_mustache},
    {"pages/people/person.mustache", pages_people_person_mustache, sizeof pages_people_person_mustache},
    {"pages/people/secret.mustache", pages_people_secret_mustache, sizeof pages_people_secret_mustache},
    {"pages/people/users.mustache", pages_people_users_mustache, sizeof pages_people_users_mustache},
    {"pages/snapshots/snapshot-table.mustache", pages_snapshots_snapshot_table_mustache, sizeof pages_snapshots_snapshot_table_mustache},
    {"pages/snapshots/snapshot.mustache", pages_snapshots_snapshot_mustache, sizeof pages_snapshots_snapshot_mustache},
    {"pages/snapshots/snapshots.mustache", pages_snapshots_snapshots_mustache, sizeof pages_snapshots_snapshots_mustache},
    {"pages/snapshots/take-snapshot.mustache", pages_snapshots_take_snapshot_mustache, sizeof pages_snapshots_take_snapshot_mustache},
    {"pages/templates/template-table.mustache", pages_templates_template_table_mustache, sizeof pages_templates_template_table_mustache},
    {"pages/templates/template.mustache", pages_templates_template_mustache, sizeof pages_templates_template_mustache},
    {"pages/templates/templates.mustache", pages_templates_templates_mustache, sizeof pages_templates_templates_mustache},
    {"pages/volumes/volume-table.mustache", pages_volumes_volume_table_mustache, sizeof pages_volumes_volume_table_mustache},
    {"pages/volumes/volume.mustache", pages_volumes_volume_mustache, sizeof pages_volumes_volume_mustache},
    {"pages/volumes/volumes.mustache", pages_volumes_volumes_mustache, sizeof pages_volumes_volumes_mustache},
};

struct console_file console_file_at(size_t position) {
    const struct console_file none = {0};
    return position < sizeof files / sizeof *files ? files[position] : none;
}
