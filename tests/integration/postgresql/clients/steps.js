// One line per step; an error is part of what is seen.
'use strict';

async function outcome(action) {
  try {
    return await action();
  } catch (error) {
    return { error: error.code, message: error.message };
  }
}

async function run(steps) {
  for (const [name, action] of Object.entries(steps)) {
    console.log(`${name}: ${JSON.stringify(await outcome(action))}`);
  }
}

module.exports = { run, outcome };
