use super::activity::Ending;
use super::limits::{MIN_IDLE, MIN_STALL};
use super::registry::MAX_CLOSING;
use tokio::time::advance;

use super::*;

fn connections(served: usize, per_source: usize) -> Connections {
    Connections::new(ConnectionLimits { served, per_source, send_timeout: Duration::from_secs(60) })
}

fn address(last: u8) -> IpAddr {
    [192, 0, 2, last].into()
}

#[track_caller]
fn admit(connections: &Connections, last: u8) -> Lease {
    connections.admit(address(last))
}

#[tokio::test(start_paused = true)]
async fn new_connection_at_the_limit_takes_the_place_of_the_longest_idle_one() {
    let connections = connections(2, 2);
    let first = admit(&connections, 1);
    advance(Duration::from_secs(1)).await;
    let second = admit(&connections, 2);
    let third = admit(&connections, 3);
    assert_eq!(third.place(), Place::Served);
    assert_eq!(first.activity().ending(), Ending::AfterRequest);
    assert_eq!(second.activity().ending(), Ending::None);
    // The others have not been idle for long enough.
    assert_eq!(admit(&connections, 4).place(), Place::Reserved(Limit::All));
    drop(third);
    assert_eq!(admit(&connections, 4).place(), Place::Served);
}

#[tokio::test(start_paused = true)]
async fn connection_with_a_request_is_not_closed_for_another_one() {
    let connections = connections(1, 1);
    let busy = admit(&connections, 1);
    let request = Activity::begin_request(busy.activity());
    advance(Duration::from_secs(3600)).await;
    assert_eq!(admit(&connections, 2).place(), Place::Reserved(Limit::All));
    drop(request);
    advance(MIN_IDLE).await;
    assert_eq!(admit(&connections, 2).place(), Place::Served);
}

#[tokio::test(start_paused = true)]
async fn source_beyond_its_share_closes_its_own_connections_only() {
    let connections = connections(10, 2);
    let other = admit(&connections, 1);
    advance(MIN_IDLE).await;
    let own = [admit(&connections, 2), admit(&connections, 2)];
    assert_eq!(admit(&connections, 2).place(), Place::Reserved(Limit::Source));
    advance(MIN_IDLE).await;
    assert_eq!(admit(&connections, 2).place(), Place::Served);
    assert_eq!(own[0].activity().ending(), Ending::AfterRequest);
    assert_eq!(other.activity().ending(), Ending::None);
}

#[tokio::test(start_paused = true)]
async fn source_with_the_most_connections_makes_room_first() {
    let connections = connections(3, 3);
    let honest = admit(&connections, 1);
    advance(MIN_IDLE).await;
    let many = [admit(&connections, 2), admit(&connections, 2)];
    advance(MIN_IDLE).await;
    assert_eq!(admit(&connections, 3).place(), Place::Served);
    assert_eq!(honest.activity().ending(), Ending::None);
    assert_eq!(many[0].activity().ending(), Ending::AfterRequest);
}

#[tokio::test(start_paused = true)]
async fn stalled_connection_ends_after_send_timeout_and_sooner_under_pressure() {
    let connections = connections(1, 1);
    let stalled = admit(&connections, 1);
    stalled.activity().stalled();
    advance(MIN_STALL).await;
    connections.sweep();
    assert_eq!(stalled.activity().ending(), Ending::None);
    assert_eq!(admit(&connections, 2).place(), Place::Served);
    assert_eq!(stalled.activity().ending(), Ending::Now);

    let connections = self::connections(1, 1);
    let stalled = admit(&connections, 1);
    stalled.activity().stalled();
    advance(Duration::from_secs(59)).await;
    connections.sweep();
    assert_eq!(stalled.activity().ending(), Ending::None);
    // Progress resets the time.
    stalled.activity().progressed();
    stalled.activity().stalled();
    advance(Duration::from_secs(59)).await;
    connections.sweep();
    assert_eq!(stalled.activity().ending(), Ending::None);
    advance(Duration::from_secs(1)).await;
    connections.sweep();
    assert_eq!(stalled.activity().ending(), Ending::Now);
}

#[tokio::test(start_paused = true)]
async fn full_reserve_drops_its_oldest_connection() {
    let connections = connections(1, 1);
    let busy = admit(&connections, 1);
    let _request = Activity::begin_request(busy.activity());
    let reserved: Vec<Lease> = (0..RESERVED_CONNECTIONS).map(|_| admit(&connections, 2)).collect();
    let newest = admit(&connections, 3);
    assert_eq!(newest.place(), Place::Reserved(Limit::All));
    assert_eq!(reserved[0].activity().ending(), Ending::Now);
    assert_eq!(reserved[1].activity().ending(), Ending::None);
}

#[tokio::test(start_paused = true)]
async fn connections_that_do_not_close_bound_how_many_are_asked_to() {
    let connections = connections(MAX_CLOSING * 2, MAX_CLOSING * 2);
    let idle: Vec<Lease> = (0..MAX_CLOSING * 2).map(|_| admit(&connections, 1)).collect();
    advance(MIN_IDLE).await;
    let taken: Vec<Lease> = (0..MAX_CLOSING).map(|_| admit(&connections, 2)).collect();
    assert!(taken.iter().all(|lease| lease.place() == Place::Served));
    assert_eq!(admit(&connections, 2).place(), Place::Reserved(Limit::All));
    drop(idle);
    assert_eq!(admit(&connections, 2).place(), Place::Served);
}

#[tokio::test(start_paused = true)]
async fn close_does_not_wait_for_stalled_connections() {
    let connections = connections(2, 2);
    let stalled = admit(&connections, 1);
    stalled.activity().stalled();
    let ended = tokio::spawn(async move {
        std::future::poll_fn(|cx| stalled.activity().poll_ending(cx, Ending::Now)).await;
        drop(stalled);
    });
    assert!(connections.close(Duration::from_secs(30)).await);
    ended.await.expect("it ends");

    let working = admit(&connections, 1);
    let _request = Activity::begin_request(working.activity());
    assert!(!connections.close(Duration::from_secs(30)).await);
}

#[tokio::test(start_paused = true)]
async fn ipv6_addresses_of_one_network_are_one_source() {
    let connections = connections(10, 1);
    let admit = |address: &str| connections.admit(address.parse().expect("an address"));
    let _first = admit("2001:db8::1");
    assert_eq!(admit("2001:db8:0:0:ffff::2").place(), Place::Reserved(Limit::Source));
    assert_eq!(admit("2001:db8:0:1::1").place(), Place::Served);
    let _second = admit("::ffff:192.0.2.1");
    assert_eq!(admit("192.0.2.1").place(), Place::Reserved(Limit::Source));
}

fn stalled(connections: &Connections, last: u8) -> Lease {
    let lease = admit(connections, last);
    lease.activity().stalled();
    lease
}

#[tokio::test(start_paused = true)]
async fn sources_that_replace_stalled_connections_leave_places_for_others() {
    let connections = connections(60, 30);
    let mut held: Vec<Lease> = Vec::new();
    // Two sources connect all the time, stall at once, and connect again when they are closed.
    for _ in 0..600 {
        for last in [1, 2] {
            held.push(stalled(&connections, last));
        }
        held.retain(|lease| lease.place() == Place::Served && lease.activity().ending() == Ending::None);
        for last in [3, 4] {
            assert_eq!(admit(&connections, last).place(), Place::Served);
        }
        advance(Duration::from_millis(100)).await;
    }
    assert_eq!(held.len(), 45);
}

#[tokio::test(start_paused = true)]
async fn source_with_few_takes_a_place_while_others_replace_their_own() {
    for stalls in [true, false] {
        let connections = connections(60, 30);
        let knock = |last| if stalls { stalled(&connections, last) } else { admit(&connections, last) };
        let mut held: Vec<Lease> = (1..=30).flat_map(|_| [knock(1), knock(2)]).collect();
        // Small sources use up the places that are kept for sources that hold few.
        let small: Vec<Lease> = (10..25).map(|last| admit(&connections, last)).collect();
        assert!(small.iter().all(|lease| lease.place() == Place::Served));
        let (mut honest, mut knocks) = (0, 0);
        for round in 0..600 {
            for last in [1, 2] {
                held.push(knock(last));
            }
            held.retain(|lease| lease.place() == Place::Served && lease.activity().ending() == Ending::None);
            if round >= 10 {
                knocks += 1;
                honest += usize::from(admit(&connections, 3).place() == Place::Served);
            }
            advance(Duration::from_millis(100)).await;
        }
        assert_eq!(honest, knocks, "stalls: {stalls}");
        assert!(small.iter().all(|lease| lease.activity().ending() == Ending::None));
    }
}

#[tokio::test(start_paused = true)]
async fn source_with_many_does_not_take_the_place_of_one_with_fewer() {
    let connections = connections(4, 3);
    let honest = admit(&connections, 1);
    let busy = [admit(&connections, 2), admit(&connections, 2)];
    let _requests = busy.each_ref().map(|lease| Activity::begin_request(lease.activity()));
    let _few = admit(&connections, 3);
    advance(Duration::from_secs(3600)).await;
    assert_eq!(admit(&connections, 2).place(), Place::Reserved(Limit::All));
    assert_eq!(honest.activity().ending(), Ending::None);
}

#[tokio::test(start_paused = true)]
async fn ipv6_networks_of_one_site_leave_places_for_other_sites() {
    let connections = connections(60, 30);
    let admit = |address: String| connections.admit(address.parse().expect("an address"));
    let site: Vec<Lease> = (0..60).map(|network| admit(format!("2001:db8:1:{network}::1"))).collect();
    assert_eq!(site.iter().filter(|lease| lease.place() == Place::Served).count(), 45);
    assert_eq!(admit("2001:db8:2::1".to_owned()).place(), Place::Served);
    assert_eq!(admit("2001:db8:1:99::1".to_owned()).place(), Place::Reserved(Limit::All));
}

#[tokio::test(start_paused = true)]
async fn close_does_not_wait_for_clients_that_send_nothing_of_a_body() {
    let connections = connections(2, 2);
    let [silent, sending] = [1, 2].map(|last| admit(&connections, last));
    let _requests = [&silent, &sending].map(|lease| Activity::begin_request(lease.activity()));
    silent.activity().paused();
    let (silent, sending) = (Arc::clone(silent.activity()), sending);
    let task = tokio::spawn({
        let connections = connections.clone();
        async move { connections.close(Duration::from_secs(60)).await }
    });
    for _ in 0..20 {
        sending.activity().paused();
        advance(Duration::from_secs(1)).await;
        sending.activity().resumed();
    }
    assert_eq!(silent.ending(), Ending::Now);
    assert_eq!(sending.activity().ending(), Ending::AfterRequest);
    drop(sending);
    assert!(!task.await.expect("it ends"), "the lease of the silent client is still there");
}
