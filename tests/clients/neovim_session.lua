-- Open a spec in Neovim with the language server, ask for all that it offers, and write the answers as JSON.
-- arguments: the program, the spec, the file to write
local program, spec, output = arg[1], arg[2], arg[3]
local answers = {}

vim.cmd.edit(spec)
local buffer = vim.api.nvim_get_current_buf()
local id = vim.lsp.start({ name = "mimgraph", cmd = { program, "-m", "mimgraph", "lsp" }, root_dir = vim.fs.dirname(spec) })
vim.lsp.buf_attach_client(buffer, id)

local function await(condition)
  assert(vim.wait(20000, condition, 20), "the server did not answer")
end

local function ask(method, line, column, more)
  local params = { textDocument = vim.lsp.util.make_text_document_params(buffer) }
  if line then
    params.position = { line = line, character = column }
  end
  params = vim.tbl_extend("force", params, more or {})
  local found = vim.lsp.buf_request_sync(buffer, method, params, 20000)
  return found[id].result
end

await(function() return vim.lsp.get_client_by_id(id).initialized end)
await(function() return #vim.diagnostic.get(buffer) > 0 end)
local found = vim.diagnostic.get(buffer)[1]
answers.diagnostic = { code = found.code, line = found.lnum, column = found.col }

-- mend it, as one types
vim.api.nvim_buf_set_text(buffer, 3, 15, 3, 20, { "Linear" })
await(function() return #vim.diagnostic.get(buffer) == 0 end)

vim.lsp.inlay_hint.enable(true, { bufnr = buffer })
await(function() return #vim.lsp.inlay_hint.get({ bufnr = buffer }) > 0 end)
answers.hints = vim.tbl_map(function(one)
  return { one.inlay_hint.position.line, one.inlay_hint.label }
end, vim.lsp.inlay_hint.get({ bufnr = buffer }))
answers.hover = ask("textDocument/hover", 3, 18).contents.value
answers.symbols = vim.tbl_map(function(one) return one.name end, ask("textDocument/documentSymbol"))
answers.folds = ask("textDocument/foldingRange")
answers.tokens = #ask("textDocument/semanticTokens/full").data
answers.lenses = vim.tbl_map(function(one) return one.command.title end, ask("textDocument/codeLens"))
answers.definition = ask("textDocument/definition", 4, 28)[1].range.start
local edit = ask("textDocument/rename", 3, 2, { newName = "first" })
vim.lsp.util.apply_workspace_edit(edit, "utf-16")
answers.renamed = vim.api.nvim_buf_get_lines(buffer, 0, -1, false)

local file = assert(io.open(output, "w"))
file:write(vim.json.encode(answers))
file:close()
vim.lsp.stop_client(id)
vim.cmd("qall!")
