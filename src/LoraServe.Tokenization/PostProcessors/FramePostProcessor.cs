using LoraServe.Tokenization.Models;

namespace LoraServe.Tokenization.PostProcessors;

/// <summary>Puts tokens before and after a text.</summary>
internal sealed class FramePostProcessor(IReadOnlyList<(int Id, string Token)> before, IReadOnlyList<(int Id, string Token)> after) : PostProcessor
{
    public override void Process(TokenOutput output, bool addSpecialTokens)
    {
        if (!addSpecialTokens)
        {
            return;
        }

        output.Ids.InsertRange(0, before.Select(token => token.Id));
        if (output.IsDetailed)
        {
            output.Tokens.InsertRange(0, before.Select(token => token.Token));
            output.Offsets.InsertRange(0, before.Select(_ => (0, 0)));
        }

        foreach ((int id, string token) in after)
        {
            output.Add(id, token, (0, 0));
        }
    }
}
