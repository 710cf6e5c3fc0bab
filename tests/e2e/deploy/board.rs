//! Grafana's board asks for metrics that there are, in words that Prometheus takes.

use super::{metrics, promtool, read};
use crate::harness::World;
use serde_json::{Value, json};

/// What a histogram is asked by.
fn family(name: &str) -> &str {
    ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

/// Every query of a board, with the title of what asks it.
fn queries(board: &Value) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for panel in board["panels"].as_array().expect("panels") {
        for target in panel["targets"].as_array().into_iter().flatten() {
            all.push((text(&panel["title"]), text(&target["expr"])));
        }
    }
    for annotation in board["annotations"]["list"].as_array().into_iter().flatten() {
        all.push((text(&annotation["name"]), text(&annotation["expr"])));
    }
    all
}

#[test]
fn the_board_asks_for_metrics_that_exist_in_words_that_prometheus_takes() {
    let board: Value = serde_json::from_str(&read("deploy/grafana/platefarm.json")).expect("JSON");
    let page = read("docs/metrics.md");
    let there = metrics(&page);
    let queries = queries(&board);
    assert!(queries.len() > 15, "{queries:?}");
    for (title, expression) in &queries {
        assert!(!expression.is_empty(), "{title} asks for nothing");
        for name in metrics(expression) {
            let known = there.contains(name) || there.contains(family(name));
            assert!(known, "{title}: {name} is in no registry; docs/metrics.md lists them");
        }
    }
    // Each metric that tells something of the farm is on it.
    let asked: String = queries.iter().map(|(_, expression)| expression.as_str()).collect();
    for name in [
        "platefarm_frames",
        "platefarm_leases_live",
        "platefarm_workers",
        "platefarm_jobs",
        "platefarm_stage_seconds",
    ] {
        assert!(asked.contains(name), "nothing shows {name}");
    }
    let world = World::new();
    let rules: Vec<Value> = queries
        .iter()
        .enumerate()
        .map(|(i, (_, expression))| json!({ "record": format!("board:query:{i}"), "expr": expression }))
        .collect();
    // JSON is YAML.
    let groups = json!({ "groups": [{ "name": "board", "rules": rules }] });
    std::fs::create_dir_all(world.path("rules")).unwrap();
    std::fs::write(world.path("rules/board.yml"), groups.to_string()).unwrap();
    promtool(&world.path("rules"), &["check", "rules", "board.yml"]);
}

#[test]
fn panels_stand_beside_each_other_and_say_what_they_show() {
    let board: Value = serde_json::from_str(&read("deploy/grafana/platefarm.json")).expect("JSON");
    let mut taken = std::collections::BTreeSet::new();
    let mut ids = std::collections::BTreeSet::new();
    for panel in board["panels"].as_array().expect("panels") {
        let title = panel["title"].as_str().expect("a title");
        assert!(ids.insert(panel["id"].as_u64()), "{title} has the id of another");
        let at = |key: &str| panel["gridPos"][key].as_u64().expect("a place");
        let (x, y, w, h) = (at("x"), at("y"), at("w"), at("h"));
        assert!(x + w <= 24, "{title} is wider than the board");
        for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(taken.insert(cell), "{title} lies over another");
        }
        if panel["type"] != "row" {
            assert!(
                panel["description"].as_str().is_some_and(|d| !d.is_empty()),
                "{title} says nothing"
            );
        }
    }
}
