using System.Security.Cryptography;
using System.Text;

namespace LoraServe.Models.Text.ToolCalls;

/// <summary>Ids of an answer's tool calls: the same for the same request, others for any other.</summary>
/// <param name="request">The request's id.</param>
/// <param name="choice">Which of its answers.</param>
public sealed class ToolCallIds(string request, int choice)
{
    /// <summary>Mistral's templates take ids of nine letters and digits alone.</summary>
    private const int ShortLength = 9;

    private const int LongLength = 24;
    private const string LongPrefix = "call_";
    private const string Letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    /// <summary>The id of a call.</summary>
    /// <param name="call">Which of the answer's calls, from 0.</param>
    /// <param name="isShort">Nine letters and digits; else more, behind <c>call_</c>.</param>
    public string Of(int call, bool isShort)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{request}\n{choice}\n{call}")), hash);
        Span<char> id = stackalloc char[isShort ? ShortLength : LongLength];
        for (int i = 0; i < id.Length; i++)
        {
            id[i] = Letters[hash[i] % Letters.Length];
        }

        return isShort ? id.ToString() : LongPrefix + id.ToString();
    }
}
