//! Columns as bytes. Every encoded column says in its first byte how it is encoded; the number of values is known from elsewhere.
//! Two efforts: [`Effort::Fast`] for data that will be merged soon, [`Effort::Small`] for data that stays.

mod decimal;
mod integers;
mod texts;
mod times;

use model::{FieldType, Strings, Values};

pub(crate) use decimal::{Scaled, scale};
pub(crate) use times::{decode_times, encode_times};

/// How much work compression may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// A few nanoseconds a value.
    Fast,
    /// Some twenty nanoseconds a value.
    Small,
}

/// Bytes that are not what an encoder makes. Checksums are compared before decoding, so this is a fault of the writer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column cannot be decoded: {0}")]
pub(crate) struct DecodeError(pub(crate) String);

impl From<model::wire::WireError> for DecodeError {
    fn from(e: model::wire::WireError) -> Self {
        Self(e.to_string())
    }
}

const FLOAT_DECIMAL: u8 = 0;
const FLOAT_RAW: u8 = 1;
const FLOAT_PCO: u8 = 2;

/// Appends an encoded column. `scaled` is what [`scale`] made of it, if it is a float column of decimals.
pub(crate) fn encode_values(values: &Values, scaled: Option<&Scaled>, effort: Effort, out: &mut Vec<u8>) {
    match values {
        Values::Float(v) => encode_floats(v, scaled, effort, out),
        Values::Integer(v) => integers::encode(v, effort, out),
        Values::Unsigned(v) => integers::encode(&v.iter().map(|x| *x as i64).collect::<Vec<_>>(), effort, out),
        Values::Boolean(v) => integers::encode(&v.iter().map(|x| i64::from(*x)).collect::<Vec<_>>(), effort, out),
        Values::String(v) => texts::encode(v, out),
    }
}

/// The inverse of [`encode_values`] for `count` values, of which at least the first `needed` are given.
pub(crate) fn decode_values(kind: FieldType, bytes: &[u8], count: usize, needed: usize) -> Result<Values, DecodeError> {
    Ok(match kind {
        FieldType::Float => Values::Float(decode_floats(bytes, count, needed)?),
        FieldType::Integer => Values::Integer(integers::decode(bytes, count, needed)?),
        FieldType::Unsigned => {
            Values::Unsigned(integers::decode(bytes, count, needed)?.into_iter().map(|x| x as u64).collect())
        }
        FieldType::Boolean => {
            Values::Boolean(integers::decode(bytes, count, needed)?.into_iter().map(|x| x != 0).collect())
        }
        FieldType::String => Values::String(decode_texts(bytes, count)?),
    })
}

fn decode_texts(bytes: &[u8], count: usize) -> Result<Strings, DecodeError> {
    texts::decode(bytes, count)
}

fn encode_floats(values: &[f64], scaled: Option<&Scaled>, effort: Effort, out: &mut Vec<u8>) {
    if let Some(scaled) = scaled {
        out.extend_from_slice(&[FLOAT_DECIMAL, scaled.digits]);
        return integers::encode(&scaled.values, effort, out);
    }
    if effort == Effort::Small
        && let Ok(packed) = pco::standalone::simple_compress(values, &pco::ChunkConfig::default())
        && packed.len() < values.len() * 8
    {
        out.push(FLOAT_PCO);
        return out.extend_from_slice(&packed);
    }
    out.push(FLOAT_RAW);
    values.iter().for_each(|v| out.extend_from_slice(&v.to_bits().to_le_bytes()));
}

fn decode_floats(bytes: &[u8], count: usize, needed: usize) -> Result<Vec<f64>, DecodeError> {
    match bytes {
        [FLOAT_DECIMAL, digits, rest @ ..] => Ok(decimal::unscale(&integers::decode(rest, count, needed)?, *digits)),
        [FLOAT_RAW, rest @ ..] if rest.len() == count * 8 => {
            let (words, _) = rest.as_chunks::<8>();
            Ok(words.iter().map(|w| f64::from_bits(u64::from_le_bytes(*w))).collect())
        }
        [FLOAT_PCO, rest @ ..] => integers::pco_decode(rest, count, needed),
        _ => Err(DecodeError("unknown float encoding".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round_trip(values: &Values, effort: Effort) -> Values {
        let scaled = match values {
            Values::Float(v) => scale(v),
            _ => None,
        };
        let mut bytes = Vec::new();
        encode_values(values, scaled.as_ref(), effort, &mut bytes);
        decode_values(values.field_type(), &bytes, values.len(), values.len()).unwrap()
    }

    fn bits(values: &Values) -> Vec<u64> {
        match values {
            Values::Float(v) => v.iter().map(|x| x.to_bits()).collect(),
            _ => panic!("floats expected"),
        }
    }

    fn any_column() -> impl Strategy<Value = Values> {
        let few = prop::collection::vec(prop_oneof![Just(0i64), Just(1), -5i64..5], 1..300);
        prop_oneof![
            prop::collection::vec(any::<f64>(), 1..300).prop_map(Values::Float),
            prop::collection::vec(-100_000i64..100_000, 1..300)
                .prop_map(|v| Values::Float(v.into_iter().map(|x| x as f64 / 100.0).collect())),
            prop::collection::vec(any::<i64>(), 1..300).prop_map(Values::Integer),
            few.prop_map(Values::Integer),
            prop::collection::vec(any::<u64>(), 1..300).prop_map(Values::Unsigned),
            prop::collection::vec(any::<bool>(), 1..300).prop_map(Values::Boolean),
            prop::collection::vec(".{0,12}", 1..100).prop_map(|texts| {
                let mut strings = Strings::default();
                texts.iter().for_each(|t| strings.push(t));
                Values::String(strings)
            }),
        ]
    }

    proptest! {
        #[test]
        fn every_column_comes_back_bit_for_bit(values in any_column()) {
            for effort in [Effort::Fast, Effort::Small] {
                let back = round_trip(&values, effort);
                match values.field_type() {
                    FieldType::Float => prop_assert_eq!(bits(&back), bits(&values)),
                    _ => prop_assert_eq!(&back, &values),
                }
            }
        }

        #[test]
        fn the_start_of_a_column_is_that_of_the_whole(
            values in prop::collection::vec(-1_000_000i64..1_000_000, 1..2048),
            share in 0.0..1.0f64,
        ) {
            let (count, needed) = (values.len(), (values.len() as f64 * share) as usize);
            let mut bytes = Vec::new();
            encode_values(&Values::Integer(values.clone()), None, Effort::Small, &mut bytes);
            let start = decode_values(FieldType::Integer, &bytes, count, needed).unwrap();
            prop_assert!(start.len() >= needed && start.len() <= count);
            prop_assert_eq!(&start, &Values::Integer(values[..start.len()].to_vec()));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), count in 0usize..500) {
            for kind in FieldType::ALL {
                if let Ok(values) = decode_values(kind, &bytes, count, count) {
                    prop_assert_eq!(values.len(), count);
                }
            }
        }
    }

    #[test]
    fn negative_zero_and_the_infinities_keep_their_bits() {
        let values = Values::Float(vec![0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 5e-324, f64::MAX]);
        assert_eq!(bits(&round_trip(&values, Effort::Small)), bits(&values));
    }
}
