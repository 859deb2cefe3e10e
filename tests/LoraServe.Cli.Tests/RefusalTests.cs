namespace LoraServe.Cli.Tests;

/// <summary>What a stranger does wrong first: each gets a sentence about it, and <see cref="CommandRun"/> sees to it that none has a word of the runtime's.</summary>
public sealed class RefusalTests(TinyFiles files) : IClassFixture<TinyFiles>
{
    [Theory]
    [InlineData("missing", "no such file or directory; expected a GGUF file or a Hugging Face directory")]
    [InlineData("empty/", "has no config.json; expected a Hugging Face directory")]
    [InlineData("text", "does not start with 'GGUF', as a GGUF file does")]
    [InlineData("cut.gguf", "the number of tensors is")]
    [InlineData("nothing.gguf", "the file is empty")]
    [InlineData("no-weights/", "has no weights; expected model.safetensors")]
    [InlineData("broken-json/", "config.json: is not valid JSON, line 2: ")]
    public async Task Model_ThatIsNone_IsNamedWithWhatIsExpected(string model, string reason)
    {
        string path = Make(model);

        string refusal = await CommandRun.RefusalAsync("generate", "--model", path, "--prompt", "x");

        Assert.StartsWith($"error: {path}", refusal, StringComparison.Ordinal);
        Assert.Contains(reason, refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("serve --model random:tiny")]
    [InlineData("generate --model random:tiny --prompt x")]
    [InlineData("eval --model random:tiny --data x")]
    [InlineData("train --model random:tiny --data x --method lora --out y")]
    [InlineData("ranks --model random:tiny")]
    [InlineData("logits --model random:tiny --tokens FILE --out y")]
    [InlineData("tokenize --model random:tiny --text x")]
    [InlineData("template --model random:tiny --cases x")]
    [InlineData("demo --model random:tiny")]
    [InlineData("adapters extract --base random:tiny --tuned random:tiny --out y")]
    [InlineData("bench load --model random:tiny")]
    public async Task RandomModel_WhereFilesAreWanted_IsRefused(string line)
    {
        string file = files.Write("tokens.jsonl", "[[1]]");

        string refusal = await CommandRun.MisuseAsync(line.Replace("FILE", file, StringComparison.Ordinal).Split(' '));

        Assert.Contains("'random:tiny' has random weights, which only bench", refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("missing", "no such directory. Give a directory with adapter_config.json")]
    [InlineData("empty/", "adapter_config.json: is not there. A PEFT adapter is a directory with")]
    [InlineData("no-adapter-weights/", "adapter_model.safetensors: is not there. Save the adapter again")]
    [InlineData("broken-adapter/", "adapter_config.json: is not valid JSON (line 2: ")]
    [InlineData("text", "does not start with 'GGUF', as a GGUF file does. Download or save")]
    public async Task Adapter_ThatIsNone_IsNamedWithWhatIsExpected(string adapter, string reason)
    {
        string path = Make(adapter);

        Assert.Contains(reason, await CommandRun.RefusalAsync("adapters", "inspect", path), StringComparison.Ordinal);
        Assert.Contains(reason, await CommandRun.RefusalAsync("generate", "--model", files.Model, "--prompt", "x", "--adapter", $"a={path}"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("missing", "no such file.")]
    [InlineData("text", "not JSON, line 1: 'a' is an invalid start of a value.")]
    [InlineData("""{ "LoraServe": { "Engine": { "Foo": 1 } } }""", "there is no setting LoraServe:Engine:Foo; expected Workers, MaxBatchRows,")]
    [InlineData("""{ "LoraServe": { "Engine": { "MaxBatchRows": "x" } } }""", "LoraServe:Engine:MaxBatchRows is 'x'; expected a whole number.")]
    [InlineData("""{ "LoraServe": { "Engine": { "MaxBatchRows": 0 } } }""", "MaxBatchRows must be between 1 and 65536")]
    public async Task ConfigOfServe_ThatIsWrong_IsNamedWithWhatIsExpected(string config, string reason)
    {
        string path = config[0] == '{' ? files.Write("settings.json", config) : Make(config);

        Assert.Contains(reason, await CommandRun.MisuseAsync("serve", "--model", files.Model, "--port", "0", "--config", path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "Required command was not provided.", "loraserve --help")]
    [InlineData("nonsense", "Unrecognized command or argument 'nonsense'.", "loraserve --help")]
    [InlineData("adapters lst", "Unrecognized command or argument 'lst'. Did you mean list?", "loraserve adapters --help")]
    [InlineData("adapters list --nope", "Unrecognized command or argument '--nope'.", "loraserve adapters list --help")]
    [InlineData("bench decode --model x --batch", "Required argument missing for option: '--batch'.", "loraserve bench decode --help")]
    [InlineData("generate --model x --prompt y --arithmetic slow", "Cannot parse argument 'slow' for option '--arithmetic'. Expected exact, fast.", "loraserve generate --help")]
    [InlineData("generate --model x --prompt y --max-tokenz 3", "Did you mean --max-tokens?", "loraserve generate --help")]
    [InlineData("bench train --model x --rows 2", "error: Unrecognized command or argument '--rows'. Unrecognized command or argument '2'. Did you mean --rank?", "loraserve bench train --help")]
    [InlineData("generate --model x --prompt y --max-tokens many", "Cannot parse argument 'many' for option '--max-tokens' as a whole number.", "loraserve generate --help")]
    [InlineData("adapters extract --base a", "Option '--tuned' is required.", "loraserve adapters extract --help")]
    public async Task CommandLine_ThatIsWrong_GetsALineAndTheRightHint(string line, string reason, string hint)
    {
        string[] said = (await CommandRun.MisuseAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries))).TrimEnd().Split('\n');

        Assert.Equal(2, said.Length);
        Assert.Contains(reason, said[0], StringComparison.Ordinal);
        Assert.Equal($"{hint} shows what there is.", said[1]);
    }

    [Theory]
    [InlineData("health --address zz", 2, "--address is 'zz'; expected a URL such as http://localhost:8080.")]
    [InlineData("health --address ftp://localhost", 2, "expected a URL such as http://localhost:8080.")]
    [InlineData("health --address http://localhost:1", 1, "no server answers there. Is it running")]
    [InlineData("adapters list --address http://localhost:1", 1, "no server answers there. Is it running")]
    [InlineData("adapters list", 2, "Give either --address or --adapter-root.")]
    [InlineData("adapters list --adapter-root missing", 1, "missing: no such folder.")]
    [InlineData("demo --steps 0", 2, "--steps is 0; expected at least 1.")]
    [InlineData("logits --model MODEL --tokens missing --out o", 1, "missing: no such file.")]
    [InlineData("logits --model MODEL --tokens TEXT --out o", 1, "line 1: 'a' is an invalid start of a value. Expected a JSON array of arrays")]
    [InlineData("logits --model MODEL --tokens OBJECT --out o", 1, "line 1: it is not what is expected there. Expected a JSON array of arrays")]
    [InlineData("train --model MODEL --data TEXT --out o --config TEXT", 2, "line 1: 'a' is an invalid start of a value.")]
    [InlineData("eval --model MODEL --data TEXT", 1, "line 1: not JSON at byte 1")]
    [InlineData("generate --model MODEL --prompt x --use a", 2, "--use names 'a', which no --adapter is called.")]
    [InlineData("generate --model MODEL --prompt x --threads -1", 2, "--threads is -1; expected 0")]
    public async Task Work_ThatCannotBeDone_EndsWithItsCodeAndAReason(string line, int code, string reason)
    {
        string[] arguments = [.. line.Split(' ').Select(word => word switch
        {
            "MODEL" => files.Model,
            "TEXT" => Make("text"),
            "OBJECT" => files.Write("object.json", "{}"),
            _ => word,
        })];

        Assert.Contains(reason, await CommandRun.ErrorAsync(code, arguments), StringComparison.Ordinal);
    }

    /// <summary>A file of that kind, or a folder where the name ends in a slash.</summary>
    private string Make(string kind)
    {
        string path = files.PathOf(kind.TrimEnd('/'));
        if (kind.EndsWith('/'))
        {
            Directory.CreateDirectory(path);
        }

        switch (kind)
        {
            case "text":
                File.WriteAllText(path, "a text");
                break;
            case "nothing.gguf":
                File.WriteAllBytes(path, []);
                break;
            case "cut.gguf":
                File.WriteAllBytes(path, [.. "GGUF"u8, 3, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
                break;
            case "no-weights/":
                File.Copy(Path.Combine(files.Model, "config.json"), Path.Combine(path, "config.json"), overwrite: true);
                break;
            case "broken-json/":
                File.WriteAllText(Path.Combine(path, "config.json"), "{\n");
                break;
            case "no-adapter-weights/":
                File.WriteAllText(Path.Combine(path, "adapter_config.json"), """{ "peft_type": "LORA", "r": 8 }""");
                break;
            case "broken-adapter/":
                File.WriteAllText(Path.Combine(path, "adapter_config.json"), "{\n");
                File.WriteAllBytes(Path.Combine(path, "adapter_model.safetensors"), new byte[8]);
                break;
        }

        return path;
    }
}
