using LoraServe.Tokenization.AddedTokens;
using LoraServe.Tokenization.Models;

namespace LoraServe.Tokenization.PostProcessors;

/// <summary>Puts tokens before and after a text.</summary>
internal sealed class FramePostProcessor(IReadOnlyList<AddedToken> before, IReadOnlyList<AddedToken> after) : PostProcessor
{
    public IReadOnlyList<AddedToken> Before => before;

    public IReadOnlyList<AddedToken> After => after;

    public override void Process(TokenOutput output, bool addSpecialTokens)
    {
        if (!addSpecialTokens)
        {
            return;
        }

        for (int i = 0; i < before.Count; i++)
        {
            output.Ids.Insert(i, before[i].Id);
            if (output.IsDetailed)
            {
                output.Tokens.Insert(i, before[i].Content);
                output.Offsets.Insert(i, (0, 0));
            }
        }

        foreach (AddedToken token in after)
        {
            output.Add(token.Id, token.Content, (0, 0));
        }
    }

    public override IEnumerable<PostProcessor> WithoutFrame() => [];
}
