// node_client.js URL: the npm package influx: points, queries, parsed results, bind parameters, errors, databases.
'use strict';

const path = require('node:path');
const modules = path.join(__dirname, '../../target/tools/node-clients/node_modules');
const Influx = require(path.join(modules, 'influx'));

const DATABASE = 'node_check';
const START = 1700000000;
let failures = 0;

// Prints whether `seen` is what was expected; both are compared as JSON.
function check(what, seen, expected = true) {
  if (JSON.stringify(seen) === JSON.stringify(expected)) {
    console.log(`ok   ${what}`);
    return;
  }
  failures += 1;
  console.log(`FAIL ${what}\n     expected ${JSON.stringify(expected)}\n     got      ${JSON.stringify(seen)}`);
}

async function errorOf(promise) {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    return error.message;
  }
}

async function write(influx) {
  const points = [];
  for (let at = 0; at < 10; at += 1) {
    for (const sensor of ['a', 'b']) {
      const fields = { temperature: 20.5 + at, count: at, open: at % 2 === 0, note: `say "${at}", großer` };
      points.push({ measurement: 'room', tags: { sensor, place: 'x y,z=1' }, fields, timestamp: new Date((START + at) * 1000) });
    }
  }
  await influx.writePoints(points);
  await influx.writeMeasurement('numbers', [{ fields: { value: 1 }, timestamp: START }, { fields: { value: 2.5 }, timestamp: START + 1 }],
    { precision: 's' });
}

async function read(influx) {
  const rows = await influx.query("SELECT * FROM room WHERE sensor = 'b' ORDER BY time DESC LIMIT 2");
  check('two rows', rows.length, 2);
  const { time, ...rest } = rows[0];
  check('the time', time.toISOString(), '2023-11-14T22:13:29.000Z');
  check('the newest row', rest, { count: 9, note: 'say "9", großer', open: false, place: 'x y,z=1', sensor: 'b', temperature: 29.5 });
  const groups = (await influx.query('SELECT mean(temperature) FROM room GROUP BY sensor')).groupRows;
  check('groups', groups.map((group) => [group.tags.sensor, group.rows[0].mean]), [['a', 25], ['b', 25]]);
  const several = await influx.query(['SELECT sum(value) FROM numbers', 'SELECT count(value) FROM numbers']);
  check('two queries', [several[0][0].sum, several[1][0].count], [3.5, 2]);
  const raw = await influx.queryRaw('SELECT value FROM numbers', { precision: 's' });
  check('raw', raw.results[0].series[0].values, [[START, 1], [START + 1, 2.5]]);
  const bound = await influx.query('SELECT count FROM room WHERE sensor = $sensor AND count >= $low', { placeholders: { sensor: 'a', low: 8 } });
  check('bind parameters', bound.map((row) => row.count), [8, 9]);
}

async function errors(influx) {
  check('a bad query', /error parsing query/.test(await errorOf(influx.query('SELECT FROM'))));
  check('an unknown function', /undefined function/.test(await errorOf(influx.query('SELECT nosuch(value) FROM numbers'))));
  const conflict = errorOf(influx.writePoints([{ measurement: 'numbers', fields: { value: true }, timestamp: new Date(START * 1000) }]));
  check('another type', /field type conflict/.test(await conflict));
  const nowhere = errorOf(influx.writePoints([{ measurement: 'm', fields: { value: 1 } }], { database: 'nowhere' }));
  check('an unknown database', /database not found/.test(await nowhere));
}

async function schema(influx) {
  check('measurements', await influx.getMeasurements(), ['numbers', 'room']);
  check('series', (await influx.getSeries()).length, 3);
  await influx.createRetentionPolicy('week', { duration: '7d', replication: 1 });
  const policies = await influx.showRetentionPolicies();
  check('retention policies', policies.map((policy) => [policy.name, policy.duration]), [['autogen', '0s'], ['week', '168h0m0s']]);
  await influx.dropRetentionPolicy('week');
  await influx.dropSeries({ measurement: (m) => m.name('room'), where: "sensor = 'a'" });
  check('dropSeries', (await influx.query('SELECT count(temperature) FROM room'))[0].count, 10);
  await influx.dropMeasurement('numbers');
  check('dropMeasurement', await influx.getMeasurements(), ['room']);
}

async function main() {
  const { hostname: host, port } = new URL(process.argv[2]);
  const influx = new Influx.InfluxDB({ host, port: Number(port), database: DATABASE });
  const [pong] = await influx.ping(5000);
  check('ping', [pong.online, String(pong.version).startsWith('1.')], [true, true]);
  await influx.dropDatabase(DATABASE);
  await influx.createDatabase(DATABASE);
  check('createDatabase', (await influx.getDatabaseNames()).includes(DATABASE));
  for (const part of [write, read, errors, schema]) {
    await part(influx);
  }
  await influx.dropDatabase(DATABASE);
  check('dropDatabase', (await influx.getDatabaseNames()).includes(DATABASE), false);
}

main().catch((error) => {
  failures += 1;
  console.log(`FAIL ${error.stack}`);
}).finally(() => {
  console.log(failures ? `${failures} failed` : 'all as expected');
  process.exit(failures ? 1 : 0);
});
