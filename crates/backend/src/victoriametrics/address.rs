//! Which of VictoriaMetrics' paths is where: a single node has all in one place, a cluster writes and reads in two.

use crate::http::Endpoint;

use super::VictoriaMetricsConfig;

/// Where things are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Addresses {
    /// `/write` is below it.
    pub(super) write: Endpoint,
    /// `/metrics` of the process that takes points is below it.
    pub(super) write_root: Endpoint,
    /// `/api/v1/...` is below it; `None` where nothing can be asked.
    pub(super) query: Option<Endpoint>,
    /// `/metrics` of the process that answers is below it.
    pub(super) query_root: Option<Endpoint>,
    /// It is a cluster: points are kept by processes that we do not talk to.
    pub(super) is_cluster: bool,
}

impl Addresses {
    pub(super) fn new(config: &VictoriaMetricsConfig) -> Self {
        let (write_root, is_cluster) = root(&config.url, "insert");
        let same = (!is_cluster).then(|| write_root.clone());
        let query = config.query_url.clone().or(same);
        let query_root = query.as_ref().map(|query| root(query, "select").0);
        Self { write: config.url.clone(), write_root, query, query_root, is_cluster }
    }
}

/// The address without the path of an interface, and whether that was one of a cluster: `/insert/0/influx`, `/select/0:1/prometheus`.
fn root(endpoint: &Endpoint, part: &str) -> (Endpoint, bool) {
    let text = endpoint.to_string();
    let outer = ["/influx", "/prometheus"].iter().find_map(|suffix| text.strip_suffix(suffix)).unwrap_or(&text);
    let (outer, is_cluster) = match outer.rsplit_once('/') {
        Some((before, tenant)) if is_tenant(tenant) => match before.strip_suffix(part) {
            Some(host) => (host, true),
            None => (outer, false),
        },
        _ => (outer, false),
    };
    (outer.parse().unwrap_or_else(|_| endpoint.clone()), is_cluster)
}

/// `account` or `account:project`.
fn is_tenant(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(url: &str, query_url: Option<&str>) -> [String; 4] {
        let mut config = VictoriaMetricsConfig::new(url.parse().unwrap());
        config.query_url = query_url.map(|url| url.parse().unwrap());
        let Addresses { write, write_root, query, query_root, .. } = Addresses::new(&config);
        let text = |endpoint: Option<Endpoint>| endpoint.map_or("-".to_owned(), |e| e.to_string());
        [write.to_string(), write_root.to_string(), text(query), text(query_root)]
    }

    #[test]
    fn a_single_node_has_all_in_one_place() {
        assert_eq!(addresses("http://h:8428/", None), ["http://h:8428"; 4]);
        assert_eq!(addresses("http://h:80/vm", None), ["http://h:80/vm"; 4]);
        let influx = addresses("http://h:8428/influx", None);
        assert_eq!(influx, ["http://h:8428/influx", "http://h:8428", "http://h:8428", "http://h:8428"]);
    }

    #[test]
    fn a_cluster_has_two_and_without_the_second_nothing_is_asked() {
        let insert = "http://h:8480/insert/0/influx";
        assert_eq!(addresses(insert, None), [insert, "http://h:8480", "-", "-"]);
        let select = "http://h:8481/select/0:7/prometheus";
        assert_eq!(addresses(insert, Some(select)), [insert, "http://h:8480", select, "http://h:8481"]);
    }
}
