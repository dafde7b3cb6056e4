// Formats the sentence of access.h, by inode(7) for files, directories and the special bits.
#include "reporter/mode/access.h"

#include <sys/stat.h>

#include <vector>

namespace umaskaudit {
namespace {

constexpr unsigned kRead = 4;
constexpr unsigned kWrite = 2;
constexpr unsigned kExecute = 1;

std::string joined(const std::vector<const char*>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  return text;
}

// " may read and write it", " may not use it".
std::string permitted(unsigned bits, bool directory) {
  const auto has = [&](unsigned wanted) { return (bits & wanted) == wanted; };
  std::vector<const char*> words;
  if (has(kRead)) words.push_back(directory ? "list" : "read");
  if (directory) {
    if (has(kExecute)) words.push_back("enter");
    if (has(kWrite | kExecute)) words.push_back("change");  // w without x cannot change entries
  } else {
    if (has(kWrite)) words.push_back("write");
    if (has(kExecute)) words.push_back("run");
  }
  return words.empty() ? " may not use it" : " may " + joined(words) + " it";
}

std::string special_bits(Mode mode, bool directory) {
  std::string text;
  if (directory) {
    if ((mode & S_ISGID) != 0) text += " What is created in it gets its group.";
    if ((mode & S_ISVTX) != 0) text += " Only owners may rename or delete in it.";
    return text;
  }
  const bool runs = (mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
  if ((mode & S_ISUID) != 0 && runs) text += " It runs with its owner's rights.";
  // Without group execution S_ISGID once meant mandatory locking (fcntl(2)), now nothing.
  if ((mode & S_ISGID) != 0 && (mode & S_IXGRP) != 0) text += " It runs with its group's rights.";
  return text;
}

}  // namespace

std::string who_may(Mode mode, bool directory, bool acl_mask) {
  const std::string owner = permitted(mode >> 6 & 7, directory);
  const std::string group = permitted(mode >> 3 & 7, directory);
  const std::string others = permitted(mode & 7, directory);
  std::string text;
  if (acl_mask) {
    text =
        "The owner" + owner + "; the group and named users, at most," + group + "; others" + others;
  } else if (owner == group && group == others) {
    text = (mode & 0777) == 0 ? "Nobody may use it" : "Everybody" + owner;
  } else if (group == others) {
    text = "The owner" + owner + "; everybody else" + group;
  } else if (owner == group) {
    text = "The owner and the group" + owner + "; others" + others;
  } else {
    text = "The owner" + owner + "; the group" + group + "; others" + others;
  }
  return text + "." + special_bits(mode, directory);
}

std::string letters(Mode rwx) {
  std::string text;
  if ((rwx & kRead) != 0) text += 'r';
  if ((rwx & kWrite) != 0) text += 'w';
  if ((rwx & kExecute) != 0) text += 'x';
  return text;
}

std::string access_change(Mode from, Mode to) {
  struct Class {
    const char* name;
    unsigned shift;
    Mode special;
    char letter;
  };
  static constexpr Class kClasses[] = {
      {"u", 6, S_ISUID, 's'}, {"g", 3, S_ISGID, 's'}, {"o", 0, S_ISVTX, 't'}};
  std::string text;
  for (const Class& one : kClasses) {
    const auto bits = [&](Mode mode) {
      return letters(mode >> one.shift & 7) +
             ((mode & one.special) != 0 ? std::string(1, one.letter) : "");
    };
    const std::string lost = bits(from & ~to), gained = bits(to & ~from);
    if (lost.empty() && gained.empty()) continue;
    text += (text.empty() ? "" : ",") + std::string(one.name);
    if (!lost.empty()) text += '-' + lost;
    if (!gained.empty()) text += '+' + gained;
  }
  return text;
}

}  // namespace umaskaudit
