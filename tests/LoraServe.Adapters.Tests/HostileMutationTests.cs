using FsCheck;
using FsCheck.Fluent;
using LoraServe.Adapters.Folding;
using LoraServe.Adapters.Loading;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Adapters.Tests;

/// <summary>Random damage to a valid adapter: it loads or is refused, and nothing else comes out.</summary>
public sealed class HostileMutationTests
{
    public static TheoryData<string> Methods => [.. MethodAdapters.Mergeable, .. MethodAdapters.Unmergeable];

    private static readonly string s_valid = Repository.Fixture("adapters/hostile/adapter/valid");
    private static readonly PlainModel s_model = AdapterBuilder.TinyBase;
    private static readonly Config s_replayable = Config.QuickThrowOnFailure.WithMaxTest(300);

    [Theory]
    [InlineData("adapter_config.json")]
    [InlineData("adapter_model.safetensors")]
    public void Load_DamagedBytes_AreRefusedOrHarmless(string file) =>
        Prop.ForAll(
            ArbMap.Default.ArbFor<(NonEmptyArray<(int Place, byte Value)> Changes, int Cut)>(),
            damage => LoadsOrIsRefused(file, damage.Changes.Get, damage.Cut)).Check(s_replayable);

    [Theory]
    [MemberData(nameof(Methods))]
    public void Load_DamagedFilesOfOtherMethods_AreRefusedOrHarmless(string method)
    {
        using var original = new TemporaryDirectory();
        MethodAdapters.Build(method).Write(original);
        string[] files = [.. Directory.GetFiles(original.Path).Select(path => Path.GetFileName(path)!)];
        Prop.ForAll(
            ArbMap.Default.ArbFor<(NonEmptyArray<(int Place, byte Value)> Changes, int Cut, bool First)>(),
            damage => LoadsOrIsRefused(damage.First ? files[0] : files[1], damage.Changes.Get, damage.Cut, original.Path)).Check(s_replayable.WithMaxTest(150));
    }

    [Theory]
    [InlineData("ADALORA")]
    [InlineData("IA3")]
    [InlineData("HRA")]
    [InlineData("OFT")]
    [InlineData("BOFT")]
    [InlineData("FOURIERFT")]
    [InlineData("WAVEFT")]
    [InlineData("C3A")]
    [InlineData("ROAD")]
    [InlineData("GRALORA")]
    [InlineData("LN_TUNING")]
    [InlineData("LOKR")]
    [InlineData("SHIRA")]
    public void Load_TokenTableAsTarget_IsRefused(string method)
    {
        AdapterBuilder builder = MethodAdapters.Build(method);
        builder.Config["target_modules"] = new System.Text.Json.Nodes.JsonArray("embed_tokens");
        Assert.Contains("embed_tokens", Assert.Throws<AdapterFormatException>(() => builder.Load()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("(a+)+$")]
    [InlineData("(?=(a+)+$)aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!")]
    [InlineData("(.*)*(.*)*(.*)*(.*)*(.*)*(.*)*x\\1y")]
    [InlineData("((((((((((a{1,500}){1,500}){1,500}){1,500}))))))){1,500}")]
    [InlineData("(?P<name>")]
    public void Load_HostilePattern_IsRefusedSoon(string pattern)
    {
        var builder = new AdapterBuilder { Config = { ["target_modules"] = pattern } };
        builder.AddPairs(s_model, 2, magnitude: false, "q_proj");
        Assert.Throws<AdapterFormatException>(() => builder.Load());
    }

    [Theory]
    [InlineData("{\"peft_type\": \"\\ud800\"}")]
    [InlineData("{\"\\ud800\": 1, \"peft_type\": \"LORA\"}")]
    [InlineData("{\"peft_type\": \"LO\u00ffRA\"}")]
    public void Load_TextsThatAreNotUnicode_AreRefused(string config)
    {
        using var folder = new TemporaryDirectory();
        File.Copy(Path.Combine(s_valid, "adapter_model.safetensors"), Path.Combine(folder.Path, "adapter_model.safetensors"));
        File.WriteAllBytes(Path.Combine(folder.Path, "adapter_config.json"), System.Text.Encoding.Latin1.GetBytes(config));
        Assert.Contains("not valid JSON", Assert.Throws<AdapterFormatException>(() => AdapterLoader.Load(folder.Path, s_model)).Message, StringComparison.Ordinal);
    }

    private static bool LoadsOrIsRefused(string file, (int Place, byte Value)[] changes, int cut, string? valid = null)
    {
        using var folder = new TemporaryDirectory();
        foreach (string path in Directory.GetFiles(valid ?? s_valid))
        {
            File.Copy(path, Path.Combine(folder.Path, Path.GetFileName(path)));
        }

        string damaged = Path.Combine(folder.Path, file);
        byte[] bytes = File.ReadAllBytes(damaged);
        foreach ((int place, byte value) in changes)
        {
            bytes[(int)((uint)place % bytes.Length)] = value;
        }

        File.WriteAllBytes(damaged, cut > 0 ? bytes[..(cut % bytes.Length)] : bytes);
        try
        {
            Adapter adapter = AdapterLoader.Load(folder.Path, s_model);
            _ = SiteEdits.Of(adapter.Edits, s_model);
            return adapter.Edits.Length > 0;
        }
        catch (AdapterFormatException refusal)
        {
            return refusal.Message.Contains(folder.Path, StringComparison.Ordinal);
        }
    }
}
