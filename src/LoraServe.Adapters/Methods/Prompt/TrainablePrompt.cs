using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;

namespace LoraServe.Adapters.Methods.Prompt;

/// <summary>Prompt tuning (Lester et al. 2021, arXiv:2104.08691): embeddings ahead of the prompt.</summary>
internal sealed class TrainablePrompt : TrainableAdapter
{
    private readonly Parameter _rows;
    private readonly VirtualTokens _edit;

    /// <summary>Virtual tokens with embeddings of the text that the options give, repeated to fill, or else of random tokens.</summary>
    public TrainablePrompt(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        int count = ConfigNumber(config, "num_virtual_tokens");
        float[] values = new float[checked(count * model.Width)];
        var random = new Random(options.Seed);
        for (int i = 0; i < count; i++)
        {
            int token = options.PromptTokens.Length > 0 ? options.PromptTokens[i % options.PromptTokens.Length] : random.Next(model.VocabularySize);
            model.CopyWeightRow(Site.Embedding, token, values.AsSpan(i * model.Width, model.Width));
        }

        _rows = Add("prompt_embeddings", [count, model.Width], values);
        _edit = new VirtualTokens(new FloatMatrix(count, model.Width, _rows.Values));
    }

    public override IReadOnlyList<AdapterEdit> Edits() => [_edit];

    public override void Pull(EditGradients gradients) => Accumulate(_rows, gradients.VirtualEmbeddings);
}
