using System.Text.Json.Nodes;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Training.Methods;
using LoraServe.Training.Options;

namespace LoraServe.Training.Tests.Methods;

public sealed class MethodCatalogTests : IDisposable
{
    private readonly TinyTraining _tiny = new();

    public static TheoryData<TrainingJobOptions, string> Mistakes => new()
    {
        { TinyTraining.Options("lorra"), "method is lorra; expected lora, loraplus," },
        { TinyTraining.Options("lora,"), "method is ; expected lora," },
        { TinyTraining.Options("lora,lora"), "method is lora,lora; expected each method once." },
        { TinyTraining.Options("full,prompt"), "full fine-tuning leaves nothing for another method to train" },
        { TinyTraining.Options("lora,dora"), "lora and dora both edit layer 0 Query" },
        { TinyTraining.Options("prompt,prefix"), "prompt and prefix both edit the rows ahead of the prompt" },
        { TinyTraining.Options("lora") with { Targets = ["q_proj", "query"] }, "targets has query, which the base has not; it has " },
        { TinyTraining.Options("prompt") with { PromptText = "Translate:" }, "the model has no tokenizer" },
        { TinyTraining.Options("lora") with { PeftConfig = new() { ["lora_alfa"] = 3 } }, "no field 'lora_alfa'" },
        { TinyTraining.Options("lora") with { PeftConfig = new() { ["init_lora_weights"] = "loftq" } }, "LoftQ adapters can be served, not trained" },
        { TinyTraining.Options("lora") with { InitFrom = "/no/such/folder" }, "no such directory" },
        { TinyTraining.Options("loha") with { PeftConfig = new() { ["modules_to_save"] = new JsonArray("lm_head") } }, "can be served, not trained" },
        { TinyTraining.Options("lokr") with { Targets = ["embed_tokens"] }, "expected linear maps alone" },
        { TinyTraining.Options("lokr") with { PeftConfig = new() { ["init_weights"] = "ones" } }, "true, false or lycoris" },
        { TinyTraining.Options("vblora") with { PeftConfig = new() { ["vector_length"] = 10 } }, "expected a length that divides both" },
        { TinyTraining.Options("shira") with { Rank = 40 }, "elements of model.layers.0.self_attn.q_proj" },
        { TinyTraining.Options("shira") with { PeftConfig = new() { ["mask_type"] = "magnitude" } }, "can be served, not trained" },
        { TinyTraining.Options("miss") with { Rank = 100 }, "of at most the inputs" },
        { TinyTraining.Options("miss") with { PeftConfig = new() { ["init_weights"] = "bat", ["r"] = 5 } }, "multiples of the rank" },
        { TinyTraining.Options("adalora") with { PeftConfig = new() { ["tinit"] = 9, ["tfinal"] = 9 } }, "expected tinit + tfinal to leave steps" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Create_Mistake_IsNamed(TrainingJobOptions options, string expected) =>
        Assert.Contains(expected, Assert.Throws<TrainingOptionsException>(() => _tiny.Create(options)).Message, StringComparison.Ordinal);

    [Fact]
    public void Check_MistakeInASetting_IsNamedBeforeAnythingIsMade()
    {
        var context = new TrainableContext(_tiny.Model);
        MethodCatalog.Check(TinyTraining.Options("lora,prompt"), context);

        Assert.Contains("it has", Assert.Throws<TrainingOptionsException>(() => MethodCatalog.Check(TinyTraining.Options("dora") with { Targets = ["c_attn"] }, context)).Message, StringComparison.Ordinal);
        Assert.Contains("no such directory", Assert.Throws<TrainingOptionsException>(() => MethodCatalog.Check(TinyTraining.Options("ia3") with { InitFrom = "/no/such" }, context)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lora+", "loraplus")]
    [InlineData("prefix-tuning", "prefix")]
    [InlineData("llama-adapter", "adaption-prompt")]
    [InlineData("lora,prompt", "lora prompt")]
    [InlineData("lora+prompt", "lora prompt")]
    [InlineData("houlsby, lora", "houlsby lora")]
    public void Find_NamesAsPeopleWriteThem_AreUnderstood(string name, string expected) =>
        Assert.Equal(expected, string.Join(' ', MethodCatalog.Find(name).Select(method => method.Name)));

    [Fact]
    public void Create_LoraWithSettings_WritesThemIntoTheConfiguration()
    {
        JsonObject config = _tiny.Create(TinyTraining.Options("lora") with { Rank = 6, Targets = ["q_proj", "down_proj"] }).Config;

        Assert.Equal(6, config["r"]!.GetValue<int>());
        Assert.Equal(12, config["lora_alpha"]!.GetValue<double>());
        Assert.Equal("""["q_proj","down_proj"]""", config["target_modules"]!.ToJsonString());
        Assert.Equal("tiny", config["base_model_name_or_path"]!.GetValue<string>());
    }

    [Fact]
    public void Create_Dropout_IsRefusedSinceThereIsNone() => Assert.Contains(
        "training has no dropout",
        Assert.Throws<TrainingOptionsException>(() => _tiny.Create(TinyTraining.Options("lora") with { PeftConfig = new JsonObject { ["lora_dropout"] = 0.1 } })).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Create_LoraPlus_GivesBItsOwnRate()
    {
        TrainableAdapter adapter = _tiny.Create(TinyTraining.Options("loraplus") with { RateRatioOfB = 5 });

        Assert.All(adapter.Parameters, parameter => Assert.Equal(parameter.Name.Contains("lora_B", StringComparison.Ordinal) ? 5 : 1, parameter.RateFactor));
    }

    [Fact]
    public void Create_Several_KeepsTheProportionOfTheirUsualRates()
    {
        TrainableAdapter adapter = _tiny.Create("lora,prompt");

        Parameter rows = adapter.Parameters.Single(parameter => parameter.Name == "prompt_embeddings");
        Assert.Equal(MethodCatalog.Find("prompt")[0].LearningRate / MethodCatalog.Find("lora")[0].LearningRate, rows.RateFactor, 1e-3);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(24)]
    [InlineData(64)]
    public void Create_Bottleneck_IsAsWideAsTheRank(int rank)
    {
        TrainableAdapter adapter = _tiny.Create(TinyTraining.Options("houlsby") with { Rank = rank });

        Assert.Equal(rank, adapter.Parameters[0].Shape[0]);
    }

    [Fact]
    public void Create_PromptWithText_BeginsWithItsEmbeddings()
    {
        var context = new TrainableContext(_tiny.Model) { BaseName = "tiny", Tokenize = _ => [4, 9] };

        TrainableAdapter adapter = MethodCatalog.Create(TinyTraining.Options("prompt") with { PromptText = "Translate:" }, context);

        float[] rows = adapter.Parameters[0].Values;
        float[] expected = new float[_tiny.Model.Width];
        _tiny.Model.CopyWeightRow(Adapters.Edits.Site.Embedding, 9, expected);
        Assert.Equal(expected, rows[_tiny.Model.Width..(2 * _tiny.Model.Width)]);
        Assert.Equal(rows[.._tiny.Model.Width], rows[(2 * _tiny.Model.Width)..]);
    }

    [Fact]
    public void Create_BiasesOfABaseWithoutAny_IsRefused()
    {
        using Models.Transformer model = Testing.TinyModel.Create(1, spec: Testing.TinyModel.DefaultSpec with { Biases = [] });

        var refused = Assert.Throws<TrainingOptionsException>(() => MethodCatalog.Create(TinyTraining.Options("bitfit"), new TrainableContext(model)));
        Assert.Contains("no biases", refused.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _tiny.Dispose();
}
