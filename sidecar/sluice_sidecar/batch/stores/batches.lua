-- Files and batches: taken in, read, ended, forgotten.
local function drop(seq)
  for b = 0, math.floor(number(seq, 'top') / 128) do
    local tail = seq .. ':' .. b
    call('UNLINK', P .. 'q:' .. tail, P .. 'd:' .. tail, P .. 'r:' .. tail)
  end
  call('UNLINK', P .. 'body:' .. seq)
end
local function remove(seq)
  drop(seq)
  call('HDEL', P .. 'ids', field(seq, 'id'))
  call('ZREM', P .. 't:' .. field(seq, 'kind') .. ':' .. field(seq, 'tenant'), seq)
  call('ZREM', P .. 'ended', seq)
  call('UNLINK', batch(seq))
  changed()
end
local function keep_file(doc)
  local file = cjson.decode(doc)
  call('SET', P .. 'f:' .. file.id, doc)
  call('ZADD', P .. 'files:' .. file.tenant, file.created, file.id)
  call('ZADD', P .. 'expiries', file.expires, file.id)
end
local function shown(seq) return {seq, call('HGETALL', batch(seq))} end
local function add(doc, key, digest, kept) -- {answer, seq}
  local made = cjson.decode(doc)
  if key ~= '' then
    local before = call('GET', P .. 'k:' .. key)
    if before then
      if string.sub(before, 1, #digest) ~= digest then return {'reused'} end
      local seq = call('HGET', P .. 'ids', string.sub(before, #digest + 1))
      if seq then return {'known', seq} end
    end
    call('SET', P .. 'k:' .. key, digest .. made.id, 'EX', kept)
  end
  local seq = whole(call('INCR', P .. 'seq'))
  call('HSET', batch(seq), 'doc', doc, 'id', made.id, 'tenant', made.tenant, 'kind', made.kind, 'input', made.input,
    'urgency', whole(made.urgency), 'status', made.status, 'note', made.note)
  if made.hook ~= '' then call('HSET', batch(seq), 'hook', made.hook) end
  call('HSET', P .. 'ids', made.id, seq)
  call('ZADD', P .. 't:' .. made.kind .. ':' .. made.tenant, seq, seq)
  call('ZADD', P .. 'due', made.expires, seq)
  call('ZADD', P .. 'made', made.created, seq)
  if made.kind ~= 'single' then
    call('ZADD', P .. 'open', seq, seq)
    call('ZADD', P .. 'unread', seq, seq)
  end
  if made.input ~= '' then call('HINCRBY', P .. 'uses', made.input, 1) end
  return {'made', seq}
end

function ops.add_file() keep_file(ARGV[2]) end
function ops.file()
  return call('ZSCORE', P .. 'files:' .. ARGV[2], ARGV[3]) and call('GET', P .. 'f:' .. ARGV[3])
end
function ops.files()
  local docs = {}
  for _, id in ipairs(call('ZRANGE', P .. 'files:' .. ARGV[2], 0, -1)) do
    docs[#docs + 1] = call('GET', P .. 'f:' .. id) or nil
  end
  return docs
end
function ops.remove_file()
  if call('ZREM', P .. 'files:' .. ARGV[2], ARGV[3]) == 0 then return 0 end
  call('ZADD', P .. 'expiries', 0, ARGV[3])
  return 1
end
function ops.add() return add(ARGV[2], ARGV[3], ARGV[4], ARGV[5]) end
function ops.accept() -- doc, key, digest, kept, most of a tenant, most of all, now, body, then one entry
  local tenant = cjson.decode(ARGV[2]).tenant
  local of_tenant = tonumber(call('HGET', P .. 'waits', tenant) or 0)
  local of_all = tonumber(call('GET', P .. 'waiting') or 0)
  if ARGV[3] == '' or call('EXISTS', P .. 'k:' .. ARGV[3]) == 0 then
    if of_tenant >= tonumber(ARGV[6]) then return {'full', whole(of_tenant), ARGV[6], 'of yours '} end
    if of_all >= tonumber(ARGV[7]) then return {'full', whole(of_all), ARGV[7], ''} end
  end
  local made = add(ARGV[2], ARGV[3], ARGV[4], ARGV[5])
  if made[1] == 'made' then
    call('SET', P .. 'body:' .. made[2], ARGV[9])
    put(made[2], tenant, 10)
    begin(made[2], 1, ARGV[8])
  end
  return made
end
function ops.batch()
  local seq = call('HGET', P .. 'ids', ARGV[2])
  return seq and shown(seq) or false
end
function ops.by_seq() return call('EXISTS', batch(ARGV[2])) == 1 and shown(ARGV[2]) or false end
function ops.batches() -- tenant, kind, after, before, limit
  local key, found = P .. 't:' .. ARGV[3] .. ':' .. ARGV[2], {}
  local upper, lower, seqs = '+inf', '-inf', nil
  for at, bound in pairs({[4] = 'after', [5] = 'before'}) do
    if ARGV[at] ~= '' then
      local seq = call('HGET', P .. 'ids', ARGV[at])
      if not seq or not call('ZSCORE', key, seq) then return found end
      if bound == 'after' then upper = '(' .. seq else lower = '(' .. seq end
    end
  end
  if ARGV[5] ~= '' then
    seqs = call('ZRANGEBYSCORE', key, lower, upper, 'LIMIT', 0, ARGV[6])
    for at = #seqs, 1, -1 do found[#found + 1] = shown(seqs[at]) end
  else
    seqs = call('ZREVRANGEBYSCORE', key, upper, lower, 'LIMIT', 0, ARGV[6])
    for _, seq in ipairs(seqs) do found[#found + 1] = shown(seq) end
  end
  return found
end
function ops.listed() -- unread, ripe or open; at most
  local found = {}
  for _, seq in ipairs(call('ZRANGE', P .. ARGV[2], 0, ARGV[3] - 1)) do found[#found + 1] = shown(seq) end
  return found
end
function ops.overdue()
  local found = {}
  for _, seq in ipairs(call('ZRANGEBYSCORE', P .. 'due', '-inf', ARGV[2])) do
    if #found >= tonumber(ARGV[3]) then break end
    if field(seq, 'status') == 'in_progress' and not finished(seq) then found[#found + 1] = seq end
  end
  return found
end
function ops.fail()
  local seq = ARGV[2]
  if call('EXISTS', batch(seq)) == 0 or field(seq, 'begun') or field(seq, 'ended') then return 0 end
  call('HSET', batch(seq), 'status', 'failed', 'note', ARGV[3])
  close(seq, ARGV[4])
  return 1
end
function ops.finalize()
  local seq = ARGV[2]
  if not field(seq, 'begun') or field(seq, 'ended') or not finished(seq) then return false end
  if field(seq, 'status') == 'in_progress' then call('HSET', batch(seq), 'status', 'finalizing') end
  call('HSET', batch(seq), 'finalizing', ARGV[3])
  changed()
  return shown(seq)
end
function ops.finish() -- seq, now, output, errors: a file each, or nothing
  local seq, ids = ARGV[2], {'output', 'errors'}
  if call('EXISTS', batch(seq)) == 0 or field(seq, 'ended') then return 0 end
  for at, name in ipairs(ids) do
    if ARGV[at + 3] ~= '' then
      keep_file(ARGV[at + 3])
      call('HSET', batch(seq), name, cjson.decode(ARGV[at + 3]).id)
    end
  end
  local status = field(seq, 'cancelling') and 'cancelled' or number(seq, 'expired') > 0 and 'expired' or 'completed'
  call('HSET', batch(seq), 'status', status)
  close(seq, ARGV[3])
  drop(seq)
  return 1
end
function ops.finished() -- seq, bucket: records, states and results of 128 lines
  local tail = ARGV[2] .. ':' .. ARGV[3]
  local more = tonumber(ARGV[3]) < math.floor(number(ARGV[2], 'top') / 128) and 1 or 0
  return {more, call('HGETALL', P .. 'q:' .. tail), call('HGETALL', P .. 'd:' .. tail), call('HGETALL', P .. 'r:' .. tail)}
end
function ops.result() return call('HGET', bucket('r', ARGV[2], 0), '0') end
function ops.body() return call('GET', P .. 'body:' .. ARGV[2]) end
function ops.put() return put(ARGV[2], ARGV[3], 4) end
function ops.begin()
  begin(ARGV[2], ARGV[3], ARGV[4])
  return call('SISMEMBER', P .. 'giving', ARGV[2])
end
function ops.cancel()
  local seq = ARGV[2]
  if call('EXISTS', batch(seq)) == 0 or field(seq, 'ended') or field(seq, 'cancelling') then return 0 end
  call('HSET', batch(seq), 'status', 'cancelling', 'cancelling', ARGV[3])
  changed()
  if not field(seq, 'begun') then return 0 end
  give(seq, 5)
  return step(seq, ARGV[3])
end
function ops.give_up()
  if call('EXISTS', batch(ARGV[2])) == 0 or field(ARGV[2], 'ended') then return 0 end
  give(ARGV[2], ARGV[3])
  return step(ARGV[2], ARGV[4])
end
function ops.step() return step(ARGV[2], ARGV[3]) end
function ops.remove()
  if field(ARGV[2], 'ended') then remove(ARGV[2]) end
end
function ops.forget() -- now, kept
  local now, gone = tonumber(ARGV[2]), {}
  for _, seq in ipairs(call('ZRANGEBYSCORE', P .. 'ended', '-inf', '(' .. whole(now - ARGV[3]), 'LIMIT', 0, 50)) do
    remove(seq)
  end
  for _, id in ipairs(call('ZRANGEBYSCORE', P .. 'expiries', '-inf', '(' .. ARGV[2])) do
    if #gone >= MANY then break end
    if call('HEXISTS', P .. 'uses', id) == 0 then
      local doc = call('GET', P .. 'f:' .. id)
      if doc then call('ZREM', P .. 'files:' .. cjson.decode(doc).tenant, id) end
      call('UNLINK', P .. 'f:' .. id)
      call('ZREM', P .. 'expiries', id)
      gone[#gone + 1] = id
    end
  end
  return gone
end
