using LoraServe.Tokenization.Models;
using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.PostProcessors;

/// <summary>Takes the white space at the ends of byte-level tokens out of their offsets.</summary>
/// <param name="addsPrefixSpace">Whether the pre-tokenizer puts a space before the text, which then has no place in it.</param>
internal sealed class TrimOffsetsPostProcessor(bool addsPrefixSpace) : PostProcessor
{
    private static readonly char s_space = ByteCharacters.Of((byte)' ');

    public override void Process(TokenOutput output, bool addSpecialTokens)
    {
        for (int i = 0; output.IsDetailed && i < output.Tokens.Count; i++)
        {
            (int start, int end) = output.Offsets[i];
            string token = output.Tokens[i];
            int leading = token.TakeWhile(IsSpace).Count();
            int trailing = token.Reverse().TakeWhile(IsSpace).Count();
            if (leading > 0)
            {
                leading -= addsPrefixSpace && (i == 0 || start == 0) ? 1 : 0;
                start = Math.Min(start + leading, end);
            }

            if (trailing > 0 && end >= trailing)
            {
                end = Math.Max(end - trailing, start);
            }

            output.Offsets[i] = (start, end);
        }
    }

    private static bool IsSpace(char c) => c == s_space || char.IsWhiteSpace(c);
}
