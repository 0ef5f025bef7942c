//! What every store promises, whatever is behind it. A promise is one function; each store is held to it, on its real
//! server. Answers are compared with those of the embedded engine to the same plan over the same points, and where that
//! would prove little, with what stands in the test.
//! Not here: another hissrv (its tests stand beside its program), retries and the order of batches (`writer`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests")]

mod promises;

mod subjects;

mod data;
mod difference;
mod embedded;
mod trial;

use std::panic::{AssertUnwindSafe, catch_unwind};

use subjects::Subject;

/// A promise, and what finds out whether a store keeps it.
struct Promise {
    name: &'static str,
    check: fn(&dyn Subject),
}

/// Tries all promises, each with a database of its own.
fn try_all(promises: &[Promise], subject: impl Fn() -> Box<dyn Subject>) {
    let is_broken = |promise: &&Promise| {
        println!("{}:", promise.name);
        catch_unwind(AssertUnwindSafe(|| (promise.check)(&*subject()))).is_err()
    };
    let broken: Vec<&str> = promises.iter().filter(is_broken).map(|promise| promise.name).collect();
    assert!(broken.is_empty(), "broken are, as told above:\n{}", broken.join("\n"));
}

/// Makes a module of tests for each store, with one test for each file of promises: it takes long to start a server, and a runner
/// that gives each test a process of its own has one started for each.
macro_rules! every_store_keeps {
    ($($topic:ident { $($promise:ident,)+ })+) => {
        every_store_keeps!(@ embedded { $($topic { $($promise,)+ })+ });
        every_store_keeps!(@ influxdb { $($topic { $($promise,)+ })+ });
        every_store_keeps!(@ victoriametrics { $($topic { $($promise,)+ })+ });
        every_store_keeps!(@ postgres { $($topic { $($promise,)+ })+ });
    };
    (@ $store:ident { $($topic:ident { $($promise:ident,)+ })+ }) => {
        mod $store {
            mod keeps_its_promises_about {
                use crate::{Promise, promises, subjects, try_all};

                $(
                    #[test]
                    fn $topic() {
                        let promises = [$(Promise { name: stringify!($promise), check: promises::$topic::$promise }),+];
                        try_all(&promises, || Box::new(subjects::$store()));
                    }
                )+
            }
        }
    };
}

/// The modules of tests; apart from the others, since they have the names of stores.
mod of {
    every_store_keeps! {
        writing {
            points_come_back_in_order_of_time_whatever_the_order_they_were_written_in,
            a_duplicate_changes_nothing,
            the_later_of_two_values_stays,
            the_later_of_two_values_of_one_batch_stays,
            fields_of_one_series_and_time_stand_in_one_row,
            a_batch_of_ten_thousand_points_is_taken,
            a_part_of_a_list_is_written_without_the_rest,
            nothing_to_write_is_fine,
        }
        values {
            every_type_comes_back_as_what_it_was,
            values_at_the_limits_come_back,
            what_the_store_has_no_type_for_is_counted_and_the_rest_stored,
            a_value_of_another_type_than_its_field_is_refused_and_the_rest_stored,
        }
        names {
            hostile_names_and_texts_come_back_as_they_were,
            a_hostile_tag_value_in_a_filter_matches_only_itself,
            a_hostile_text_in_a_filter_matches_only_itself,
            hostile_measurements_are_kept_apart,
            names_that_differ_in_case_only_are_kept_apart,
        }
        confusable {
            measurements_and_fields_that_join_alike_are_kept_apart,
            names_that_stores_use_themselves_are_data,
            long_names_that_begin_alike_are_kept_apart,
            a_field_may_have_the_name_of_a_tag,
            a_database_of_a_hostile_name_is_one_like_others,
        }
        times {
            times_are_kept_to_the_grain,
            times_finer_than_the_grain_are_cut_to_it,
            times_before_1970_and_far_away_come_back,
            a_time_the_store_does_not_take_is_told,
        }
        rows {
            a_time_range_is_half_open,
            limit_and_offset_count_rows_of_a_series,
            descending_order_starts_with_the_newest,
            several_measurements_are_answered_together,
            missing_measurements_fields_and_tags_are_no_error,
            columns_of_rows_are_fields_tags_and_sums_of_them,
            databases_are_kept_apart,
        }
        filters {
            tags_are_compared_with_values,
            tags_are_compared_with_patterns,
            a_series_without_a_tag_has_it_empty,
            fields_are_compared,
            conditions_are_joined,
        }
        groups {
            series_are_grouped_by_tags,
            groups_are_limited,
        }
        windows {
            aggregates_over_windows,
            aggregates_over_windows_by_tag,
            gaps_are_filled,
            aggregates_over_a_whole_range,
            windows_of_a_time_zone,
            windows_with_an_offset,
            aggregates_of_what_is_no_number,
            several_functions_at_once,
            functions_over_sequences,
            choices_of_points,
            queries_over_queries,
            an_aggregate_of_a_long_series,
        }
        latest {
            the_latest_value_of_every_field,
            the_latest_value_of_some_fields_and_series,
        }
        bounds {
            a_cancelled_query_ends,
            a_query_without_time_left_ends,
            rows_are_limited,
            memory_is_limited,
            a_reader_who_has_enough_gets_no_more,
        }
        endurance {
            what_is_durable_survives_a_killed_server,
            sessions_write_at_once,
        }
        upkeep {
            keeping_in_step_a_second_time_changes_nothing,
            a_policy_of_its_own_is_written_and_read,
            the_probe_names_product_and_version,
            a_store_that_is_not_there_is_away,
            a_store_that_does_not_answer_is_away_within_its_timeout,
            a_place_that_does_not_exist_is_said_to_be_missing_or_made,
        }
    }
}
