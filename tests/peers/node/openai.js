// OpenAI's client for JavaScript, unchanged, against a server's REST.
//
// usage: NODE_PATH=.../node_modules node openai.js BASE_URL < calls.json
//
// A call is {"path": "chat.completions.create", "arguments": […], "abort_after": 3}; its outcome {"result": …}, {"events": […]} of a stream, or
// {"status": …, "code": …, "param": …, "message": …, "name": …} of an error. "abort_after" leaves a stream after so many events.
'use strict';

const fs = require('fs');
const { OpenAI } = require('openai');

const client = new OpenAI({ baseURL: process.argv[2], apiKey: 'none', maxRetries: 0 });

async function run(call) {
  try {
    const parts = call.path.split('.');
    const owner = parts.slice(0, -1).reduce((scope, name) => scope[name], client);
    const result = await owner[parts[parts.length - 1]](...call.arguments);
    if (!call.arguments[0]?.stream) {
      return { result: result.data && result.object === 'list' ? { object: result.object, data: result.data } : result };
    }
    const events = [];
    for await (const event of result) {
      events.push(event);
      if (events.length === call.abort_after) {
        break;
      }
    }
    return { events };
  } catch (error) {
    return { status: error.status, code: error.code, param: error.param, message: error.message, name: error.constructor.name };
  }
}

async function main() {
  const outcomes = [];
  for (const call of JSON.parse(fs.readFileSync(0, 'utf8'))) {
    outcomes.push(await run(call));
  }
  console.log(JSON.stringify(outcomes));
}

main();
